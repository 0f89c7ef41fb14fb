#include "check.h"

#include <errno.h>
#include <netdb.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

const char *direct, *proxied;

static jmp_buf failed;
static char why[2048];

void fail(const char *file, int line, const char *format, ...) {
	int n = snprintf(why, sizeof why, "%s:%d: ", file, line);
	va_list args;
	va_start(args, format);
	vsnprintf(why + n, sizeof why - n, format, args);
	va_end(args);
	longjmp(failed, 1);
}

// in is the time so many milliseconds from now.
static struct timespec in(int ms) {
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	long long ns = t.tv_nsec + ms * 1000000LL;
	t.tv_sec += ns / 1000000000;
	t.tv_nsec = ns % 1000000000;
	return t;
}

void sleep_ms(int ms) { usleep(ms * 1000); }

void note(zhandle_t *zh, int type, int state, const char *path, void *context) {
	struct events *e = context ? context : (void *)zoo_get_context(zh);
	if (!e) return;
	pthread_mutex_lock(&e->mu);
	if (e->count < (int)(sizeof e->all / sizeof *e->all)) {
		struct event *v = &e->all[e->count++];
		v->type = type;
		v->state = state;
		snprintf(v->path, sizeof v->path, "%s", path ? path : "");
	}
	pthread_cond_broadcast(&e->came);
	pthread_mutex_unlock(&e->mu);
}

// take waits for the next event.
static int take(struct events *e, struct event *v) {
	struct timespec end = in(PATIENCE);
	pthread_mutex_lock(&e->mu);
	int rc = 0;
	while (e->taken == e->count && !rc) rc = pthread_cond_timedwait(&e->came, &e->mu, &end);
	if (!rc) *v = e->all[e->taken++];
	pthread_mutex_unlock(&e->mu);
	return !rc;
}

void next_is_(struct events *e, int type, const char *path, const char *file, int line) {
	struct event v;
	do {
		if (!take(e, &v)) fail(file, line, "no event came, want type %d of %s", type, path);
		// Watchers hear of the session, too, when the connection is lost and found.
	} while (v.type == ZOO_SESSION_EVENT && type != ZOO_SESSION_EVENT);
	if (v.type != type || strcmp(v.path, path))
		fail(file, line, "event type %d of \"%s\", want type %d of \"%s\"", v.type, v.path, type, path);
}

void none_left_(struct events *e, const char *file, int line) {
	struct event v = {0};
	pthread_mutex_lock(&e->mu);
	while (e->taken < e->count) {
		v = e->all[e->taken++];
		if (v.type != ZOO_SESSION_EVENT) break;
		v.type = 0;
	}
	pthread_mutex_unlock(&e->mu);
	if (v.type) fail(file, line, "event type %d of \"%s\", want none", v.type, v.path);
}

void state_comes_(struct events *e, int state, const char *file, int line) {
	for (struct event v;;) {
		if (!take(e, &v)) fail(file, line, "the session never came to state %d", state);
		if (v.type == ZOO_SESSION_EVENT && v.state == state) return;
	}
}

void begin(struct reply *r) {
	memset(r, 0, sizeof *r);
	pthread_mutex_init(&r->mu, NULL);
	pthread_cond_init(&r->came, NULL);
}

int finish(struct reply *r) {
	struct timespec end = in(PATIENCE);
	pthread_mutex_lock(&r->mu);
	int rc = 0;
	while (!r->done && !rc) rc = pthread_cond_timedwait(&r->came, &r->mu, &end);
	pthread_mutex_unlock(&r->mu);
	if (rc) fail(__FILE__, __LINE__, "no reply came");
	return r->rc;
}

// replied is the end of every completion; order numbers them over all calls.
static void replied(struct reply *r, int rc, const struct Stat *stat) {
	static int n; // completions come from one thread
	pthread_mutex_lock(&r->mu);
	r->rc = rc;
	if (rc == ZOK && stat) r->stat = *stat;
	r->order = ++n;
	r->done = 1;
	pthread_cond_broadcast(&r->came);
	pthread_mutex_unlock(&r->mu);
}

static void keep_names(struct reply *r, const struct String_vector *names) {
	if (!names) return;
	r->count = names->count;
	for (int i = 0; i < names->count && i < 16; i++) snprintf(r->names[i], sizeof r->names[i], "%s", names->data[i]);
}

static void keep_text(struct reply *r, const char *text, int len) {
	r->len = len;
	if (text) snprintf(r->text, sizeof r->text, "%.*s", len, text);
}

void got_nothing(int rc, const void *reply) { replied((void *)reply, rc, NULL); }

void got_stat(int rc, const struct Stat *stat, const void *reply) { replied((void *)reply, rc, stat); }

void got_data(int rc, const char *value, int len, const struct Stat *stat, const void *reply) {
	keep_text((void *)reply, value, len);
	replied((void *)reply, rc, stat);
}

void got_names(int rc, const struct String_vector *names, const void *reply) {
	keep_names((void *)reply, names);
	replied((void *)reply, rc, NULL);
}

void got_names_stat(int rc, const struct String_vector *names, const struct Stat *stat, const void *reply) {
	keep_names((void *)reply, names);
	replied((void *)reply, rc, stat);
}

void got_text(int rc, const char *text, const void *reply) {
	keep_text((void *)reply, text, text ? strlen(text) : 0);
	replied((void *)reply, rc, NULL);
}

void got_text_stat(int rc, const char *text, const struct Stat *stat, const void *reply) {
	keep_text((void *)reply, text, text ? strlen(text) : 0);
	replied((void *)reply, rc, stat);
}

void got_acl(int rc, struct ACL_vector *acl, struct Stat *stat, const void *reply) {
	struct reply *r = (void *)reply;
	if (acl && acl->count > 0) {
		r->count = acl->count;
		r->len = acl->data[0].perms;
		snprintf(r->text, sizeof r->text, "%s:%s", acl->data[0].id.scheme, acl->data[0].id.id);
	}
	replied(r, rc, stat);
}

zhandle_t *open_at(const char *host, int timeout, const clientid_t *id, struct events *e) {
	static struct events unheard = EVENTS;
	zhandle_t *zh = zookeeper_init(host, note, timeout, id, e ? e : &unheard, ZOO_NO_LOG_CLIENTENV);
	CHECK(zh);
	for (int i = 0; i < PATIENCE / 5; i++) {
		int state = zoo_state(zh);
		if (state == ZOO_CONNECTED_STATE || state == ZOO_EXPIRED_SESSION_STATE) return zh;
		sleep_ms(5);
	}
	fail(__FILE__, __LINE__, "no connection to %s: state %d", host, zoo_state(zh));
}

zhandle_t *open_handle(void) { return open_at(direct, 10000, NULL, NULL); }

void make(zhandle_t *zh, const char *path, const char *data) {
	OK(zoo_create(zh, path, data, strlen(data), &ZOO_OPEN_ACL_UNSAFE, ZOO_PERSISTENT, NULL, 0));
}

void catch_up(zhandle_t *zh) {
	struct reply r;
	REPLY(&r, zoo_async(zh, "/", got_text, &r), ZOK);
}

int of_several(void) { return strchr(direct, ',') != NULL; }

void await_gone(zhandle_t *zh, const char *path) {
	for (int i = 0; i < PATIENCE / 20; i++) {
		if (zoo_exists(zh, path, 0, NULL) == ZNONODE) return;
		sleep_ms(20);
	}
	fail(__FILE__, __LINE__, "%s is still there", path);
}

int has(const struct String_vector *names, const char *name) {
	for (int i = 0; i < names->count; i++)
		if (!strcmp(names->data[i], name)) return 1;
	return 0;
}

void order(const char *what) {
	static int fd = -1;
	if (fd < 0) {
		char host[128];
		snprintf(host, sizeof host, "%s", getenv("ZK_CONTROL"));
		char *port = strrchr(host, ':');
		CHECK(port);
		*port++ = 0;
		struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *at;
		EQ(getaddrinfo(host, port, &hints, &at), 0);
		fd = socket(at->ai_family, at->ai_socktype, 0);
		EQ(connect(fd, at->ai_addr, at->ai_addrlen), 0);
		freeaddrinfo(at);
	}
	char line[32];
	int n = snprintf(line, sizeof line, "%s\n", what);
	EQ(write(fd, line, n), n);
	EQ(read(fd, line, 3), 3);
	CHECK(!memcmp(line, "ok\n", 3));
}

int main(void) {
	direct = getenv("ZK_ADDR");
	proxied = getenv("ZK_PROXY");
	if (!direct || !proxied || !getenv("ZK_CONTROL")) {
		fprintf(stderr, "ZK_ADDR, ZK_PROXY and ZK_CONTROL are to name the server, the proxy and its orders\n");
		return 2;
	}
	zoo_set_debug_level(0); // what goes wrong is meant to, mostly
	setvbuf(stdout, NULL, _IOLBF, 0);
	static const struct test none = {0};
	const struct test *groups[] = {calls, watches, sessions, of_several() ? leader : &none};
	volatile int bad = 0;
	for (volatile int g = 0; g < 4; g++) {
		for (const struct test *volatile t = groups[g]; t->name; t++) {
			if (!setjmp(failed)) {
				order("open"); // whatever the test before it left
				t->run();
				printf("ok - %s\n", t->name);
			} else {
				printf("not ok - %s\n# %s\n", t->name, why);
				bad = 1;
			}
		}
	}
	return bad;
}
