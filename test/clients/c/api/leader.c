// What clients go through while the leader of three servers is killed and comes back.
#include "check.h"

#include <stdlib.h>
#include <string.h>

enum { WRITERS = 3 };

static volatile int over;

// A writer adds one to /count, over and over, in a thread of its own. Of a try without an answer a mark made in the same
// multi tells whether it was done.
struct writer {
	pthread_t thread;
	zhandle_t *zh;
	int number, done, rc;
};

static int lost(int rc) { return rc == ZCONNECTIONLOSS || rc == ZOPERATIONTIMEOUT; }

static int add_one(struct writer *w) {
	char data[32], next[32], mark[64];
	int len = sizeof data - 1;
	struct Stat stat;
	int rc = zoo_get(w->zh, "/count", 0, data, &len, &stat);
	if (rc) return rc;
	data[len] = 0;
	snprintf(next, sizeof next, "%d", atoi(data) + 1);
	snprintf(mark, sizeof mark, "/count/%d-%d", w->number, w->done);
	zoo_op_t ops[2];
	zoo_op_result_t results[2];
	zoo_set_op_init(&ops[0], "/count", next, strlen(next), stat.version, NULL);
	zoo_create_op_init(&ops[1], mark, "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0);
	rc = zoo_multi(w->zh, 2, ops, results);
	if (!lost(rc)) return rc;
	do
		rc = zoo_create(w->zh, mark, "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0); // a write sees all that was done before
	while (lost(rc));
	if (rc == ZNODEEXISTS) return ZOK;
	return rc ? rc : zoo_delete(w->zh, mark, -1) ? ZSYSTEMERROR : ZBADVERSION;
}

static void *write_on(void *p) {
	struct writer *w = p;
	while (!over && !w->rc) {
		int rc = add_one(w);
		if (rc == ZOK) w->done++;
		else if (rc != ZBADVERSION && !lost(rc)) w->rc = rc;
	}
	return NULL;
}

static void counts_once(void) {
	zhandle_t *zh = open_handle();
	make(zh, "/count", "0");
	struct writer all[WRITERS] = {0};
	over = 0;
	for (int i = 0; i < WRITERS; i++) {
		all[i].number = i;
		all[i].zh = open_handle();
		EQ(pthread_create(&all[i].thread, NULL, write_on, &all[i]), 0);
	}
	order("restart");
	order("restart");
	over = 1;
	int sum = 0;
	for (int i = 0; i < WRITERS; i++) {
		EQ(pthread_join(all[i].thread, NULL), 0);
		OK(zookeeper_close(all[i].zh));
		sum += all[i].done;
	}
	for (int i = 0; i < WRITERS; i++) OK(all[i].rc);
	CHECK(sum > 0);
	catch_up(zh);
	char data[32];
	int len = sizeof data - 1;
	OK(zoo_get(zh, "/count", 0, data, &len, NULL));
	data[len] = 0;
	EQ(atoi(data), sum);
	OK(zookeeper_close(zh));
}

// goes_on: sessions with their ephemerals and watches outlive every leader, whichever server they were on.
static void goes_on(void) {
	enum { N = 6 };
	struct events own[N], seen[N];
	zhandle_t *all[N];
	int64_t ids[N];
	char path[32];
	zhandle_t *zh = open_handle();
	make(zh, "/goes", "");
	for (int i = 0; i < N; i++) {
		own[i] = seen[i] = (struct events)EVENTS;
		all[i] = open_at(direct, 10000, NULL, &own[i]);
		ids[i] = zoo_client_id(all[i])->client_id;
		snprintf(path, sizeof path, "/goes/%d", i);
		OK(zoo_create(all[i], path, NULL, -1, &ZOO_OPEN_ACL_UNSAFE, ZOO_EPHEMERAL, NULL, 0));
		RC(zoo_wexists(all[i], "/goes/later", note, &seen[i], NULL), ZNONODE);
	}
	for (int kill = 0; kill < 3; kill++) order("restart"); // whoever is on no leader now is on the next one
	zhandle_t *other = open_handle();
	catch_up(other);
	for (int i = 0; i < N; i++) {
		struct Stat stat;
		snprintf(path, sizeof path, "/goes/%d", i);
		OK(zoo_exists(other, path, 0, &stat));
		EQ(stat.ephemeralOwner, ids[i]);
	}
	make(other, "/goes/later", "");
	for (int i = 0; i < N; i++) {
		next_is(&seen[i], ZOO_CREATED_EVENT, "/goes/later");
		EQ(zoo_client_id(all[i])->client_id, ids[i]);
		OK(zookeeper_close(all[i]));
	}
	OK(zookeeper_close(other));
	OK(zookeeper_close(zh));
}

const struct test leader[] = {
	{"counts are done once while leaders die", counts_once},
	{"sessions, ephemerals and watches outlive leaders", goes_on},
	{0},
};
