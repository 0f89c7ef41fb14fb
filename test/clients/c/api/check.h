// What the tests of the C client have in common: checks that end a test, queues of watch events, replies of
// asynchronous calls, handles, and orders to the proxy. Output is TAP, which test/clients/suite turns into subtests.
#ifndef CHECK_H
#define CHECK_H

#define THREADED
#include <pthread.h>
#include <zookeeper/zookeeper.h>

// PATIENCE bounds every wait for something that has to happen, in milliseconds.
#define PATIENCE 20000

// The server under test and the proxy before it, from the environment.
extern const char *direct, *proxied;

// fail ends the running test. Only the main thread may call it, directly or through a check.
void fail(const char *file, int line, const char *format, ...) __attribute__((format(printf, 3, 4), noreturn));

#define CHECK(ok)                                                                                                      \
	do {                                                                                                               \
		if (!(ok)) fail(__FILE__, __LINE__, "%s", #ok);                                                                \
	} while (0)
#define EQ(got, want)                                                                                                  \
	do {                                                                                                               \
		long long g = (got), w = (want);                                                                               \
		if (g != w) fail(__FILE__, __LINE__, "%s is %lld, want %lld", #got, g, w);                                     \
	} while (0)
#define STR(got, want)                                                                                                 \
	do {                                                                                                               \
		const char *g = (got), *w = (want);                                                                            \
		if (!g || strcmp(g, w)) fail(__FILE__, __LINE__, "%s is \"%s\", want \"%s\"", #got, g ? g : "(null)", w);      \
	} while (0)
#define RC(call, want)                                                                                                 \
	do {                                                                                                               \
		int g = (call), w = (want);                                                                                    \
		if (g != w) fail(__FILE__, __LINE__, "%s is %d (%s), want %d", #call, g, zerror(g), w);                        \
	} while (0)
#define OK(call) RC(call, ZOK)

// events are what a watcher was called with, in that order.
struct events {
	pthread_mutex_t mu;
	pthread_cond_t came;
	int count, taken;
	struct event {
		int type, state;
		char path[128];
	} all[64];
};

#define EVENTS {.mu = PTHREAD_MUTEX_INITIALIZER, .came = PTHREAD_COND_INITIALIZER}

// note is a watcher whose context is a struct events.
void note(zhandle_t *zh, int type, int state, const char *path, void *events);

// next_is waits for the next event and checks it; none_left checks that no further one is there.
void next_is_(struct events *e, int type, const char *path, const char *file, int line);
#define next_is(e, type, path) next_is_(e, type, path, __FILE__, __LINE__)
void none_left_(struct events *e, const char *file, int line);
#define none_left(e) none_left_(e, __FILE__, __LINE__)
// state_comes waits for a session event with the state, over others.
void state_comes_(struct events *e, int state, const char *file, int line);
#define state_comes(e, state) state_comes_(e, state, __FILE__, __LINE__)

// reply is what an asynchronous call answers.
struct reply {
	pthread_mutex_t mu;
	pthread_cond_t came;
	int done, rc, len, count, order;
	char text[256];
	char names[16][64];
	struct Stat stat;
};

// Completions for each kind; their data is a struct reply.
void got_nothing(int rc, const void *reply);
void got_stat(int rc, const struct Stat *stat, const void *reply);
void got_data(int rc, const char *value, int len, const struct Stat *stat, const void *reply);
void got_names(int rc, const struct String_vector *names, const void *reply);
void got_names_stat(int rc, const struct String_vector *names, const struct Stat *stat, const void *reply);
void got_text(int rc, const char *text, const void *reply);
void got_text_stat(int rc, const char *text, const struct Stat *stat, const void *reply);
void got_acl(int rc, struct ACL_vector *acl, struct Stat *stat, const void *reply);

// REPLY runs an asynchronous call on the reply r and waits for it.
#define REPLY(r, call, want)                                                                                           \
	do {                                                                                                               \
		begin(r);                                                                                                      \
		OK(call);                                                                                                      \
		RC(finish(r), want);                                                                                           \
	} while (0)
void begin(struct reply *r);
int finish(struct reply *r); // its rc

// open_at connects and waits for the session; events may be NULL.
zhandle_t *open_at(const char *host, int timeout, const clientid_t *id, struct events *e);
zhandle_t *open_handle(void); // to the server itself, with 10 s

// catch_up lets a handle's server hear of all that other servers have answered.
void catch_up(zhandle_t *zh);

// make creates a persistent znode that everybody may use.
void make(zhandle_t *zh, const char *path, const char *data);
void await_gone(zhandle_t *zh, const char *path);
int has(const struct String_vector *names, const char *name);

// of_several tells whether there are several servers to choose from.
int of_several(void);

// order tells the proxy to "drop", "cut" or "open" its connections; with several servers, "restart" kills the leader and
// starts it again.
void order(const char *what);
void sleep_ms(int ms);

// A test is a function with a name.
struct test {
	const char *name;
	void (*run)(void);
};
extern const struct test calls[], watches[], sessions[], leader[];

#endif
