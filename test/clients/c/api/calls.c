// The calls of the C client, synchronous and asynchronous, with their failures.
#include "check.h"

#include <string.h>

static struct ACL_vector *open_acl = &ZOO_OPEN_ACL_UNSAFE;

static void connects(void) {
	struct events e = EVENTS;
	zhandle_t *zh = open_at(direct, 10000, NULL, &e);
	state_comes(&e, ZOO_CONNECTED_STATE);
	CHECK(zoo_client_id(zh)->client_id != 0);
	EQ(zoo_recv_timeout(zh), 10000);
	CHECK(strstr(direct, zoo_get_current_server(zh)));
	struct sockaddr_storage at;
	socklen_t len = sizeof at;
	CHECK(zookeeper_get_connected_host(zh, (struct sockaddr *)&at, &len));
	EQ(at.ss_family, AF_INET);
	EQ(is_unrecoverable(zh), ZOK);
	OK(zookeeper_close(zh));

	zh = open_at(direct, 300, NULL, NULL); // two ticks are the least
	EQ(zoo_recv_timeout(zh), 1000);
	OK(zookeeper_close(zh));
	zh = open_at(direct, 600000, NULL, NULL);
	EQ(zoo_recv_timeout(zh), 40000);
	OK(zookeeper_close(zh));
}

static void create_modes(void) {
	zhandle_t *zh = open_handle();
	char name[64];
	struct Stat stat;
	make(zh, "/modes", "");

	OK(zoo_create(zh, "/modes/p", "data", 4, open_acl, ZOO_PERSISTENT, name, sizeof name));
	STR(name, "/modes/p");
	OK(zoo_exists(zh, "/modes/p", 0, &stat));
	EQ(stat.ephemeralOwner, 0);
	EQ(stat.dataLength, 4);

	OK(zoo_create(zh, "/modes/e", NULL, -1, open_acl, ZOO_EPHEMERAL, name, sizeof name));
	OK(zoo_exists(zh, "/modes/e", 0, &stat));
	EQ(stat.ephemeralOwner, zoo_client_id(zh)->client_id);

	OK(zoo_create(zh, "/modes/s-", NULL, -1, open_acl, ZOO_PERSISTENT_SEQUENTIAL, name, sizeof name));
	STR(name, "/modes/s-0000000002");
	OK(zoo_create(zh, "/modes/es-", NULL, -1, open_acl, ZOO_EPHEMERAL_SEQUENTIAL, name, sizeof name));
	STR(name, "/modes/es-0000000003");
	OK(zoo_create(zh, "/modes/", NULL, -1, open_acl, ZOO_PERSISTENT_SEQUENTIAL, name, 10));
	STR(name, "/modes/00"); // cut to the buffer

	OK(zoo_create(zh, "/modes/c", NULL, -1, open_acl, ZOO_CONTAINER, name, sizeof name));
	OK(zoo_exists(zh, "/modes/c", 0, &stat));
	EQ(stat.ephemeralOwner, 0); // what marks it a container is not shown
	OK(zoo_create_ttl(zh, "/modes/t", NULL, -1, open_acl, ZOO_PERSISTENT_WITH_TTL, 60000, name, sizeof name));
	OK(zoo_exists(zh, "/modes/t", 0, &stat));
	EQ(stat.ephemeralOwner, 0);
	OK(zoo_create_ttl(zh, "/modes/ts-", NULL, -1, open_acl, ZOO_PERSISTENT_SEQUENTIAL_WITH_TTL, 60000, name, sizeof name));
	STR(name, "/modes/ts-0000000007");
	OK(zookeeper_close(zh));
}

static void create2_stat(void) {
	zhandle_t *zh = open_handle();
	char name[64];
	struct Stat stat, same;
	OK(zoo_create2(zh, "/create2", "12345", 5, open_acl, ZOO_PERSISTENT, name, sizeof name, &stat));
	STR(name, "/create2");
	EQ(stat.dataLength, 5);
	EQ(stat.czxid, stat.mzxid);
	EQ(stat.version, 0);
	CHECK(stat.ctime > 1500000000000 && stat.ctime == stat.mtime);
	OK(zoo_exists(zh, "/create2", 0, &same));
	EQ(stat.czxid, same.czxid);
	EQ(stat.ctime, same.ctime);
	EQ(stat.pzxid, same.pzxid);
	EQ(stat.dataLength, same.dataLength);
	OK(zoo_create2(zh, "/create2/e", NULL, -1, open_acl, ZOO_EPHEMERAL, name, sizeof name, &stat));
	EQ(stat.ephemeralOwner, zoo_client_id(zh)->client_id);
	OK(zoo_create2_ttl(zh, "/create2/t", NULL, -1, open_acl, ZOO_PERSISTENT_WITH_TTL, 60000, name, sizeof name, &stat));
	EQ(stat.ephemeralOwner, 0);
	OK(zoo_create2(zh, "/create2/c", NULL, -1, open_acl, ZOO_CONTAINER, name, sizeof name, &stat));
	EQ(stat.ephemeralOwner, 0);
	OK(zookeeper_close(zh));
}

static void create_refused(void) {
	zhandle_t *zh = open_handle();
	struct ACL_vector none = {0, NULL};
	struct ACL bad = {ZOO_PERM_ALL, {"nosuch", "x"}};
	struct ACL_vector unknown = {1, &bad};
	make(zh, "/refused", "");
	RC(zoo_create(zh, "/refused", NULL, -1, open_acl, 0, NULL, 0), ZNODEEXISTS);
	RC(zoo_create(zh, "/refused/no/parent", NULL, -1, open_acl, 0, NULL, 0), ZNONODE);
	RC(zoo_create(zh, "relative", NULL, -1, open_acl, 0, NULL, 0), ZBADARGUMENTS);
	RC(zoo_create(zh, "/refused/", NULL, -1, open_acl, 0, NULL, 0), ZBADARGUMENTS);
	RC(zoo_create(zh, "/refused/../x", NULL, -1, open_acl, 0, NULL, 0), ZBADARGUMENTS);
	RC(zoo_create(zh, "/refused/x", NULL, -1, &none, 0, NULL, 0), ZINVALIDACL);
	RC(zoo_create(zh, "/refused/x", NULL, -1, &unknown, 0, NULL, 0), ZINVALIDACL);
	RC(zoo_create_ttl(zh, "/refused/x", NULL, -1, open_acl, ZOO_PERSISTENT_WITH_TTL, -1, NULL, 0), ZBADARGUMENTS);
	OK(zoo_create(zh, "/refused/e", NULL, -1, open_acl, ZOO_EPHEMERAL, NULL, 0));
	RC(zoo_create(zh, "/refused/e/x", NULL, -1, open_acl, 0, NULL, 0), ZNOCHILDRENFOREPHEMERALS);
	RC(zoo_create(zh, "/zookeeper", NULL, -1, open_acl, 0, NULL, 0), ZNODEEXISTS);
	OK(zookeeper_close(zh));
}

static void go_by_themselves(void) {
	zhandle_t *zh = open_handle();
	OK(zoo_create(zh, "/container", NULL, -1, open_acl, ZOO_CONTAINER, NULL, 0));
	make(zh, "/container/child", "");
	OK(zoo_create_ttl(zh, "/short", NULL, -1, open_acl, ZOO_PERSISTENT_WITH_TTL, 100, NULL, 0));
	OK(zoo_exists(zh, "/container", 0, NULL));
	OK(zoo_delete(zh, "/container/child", -1));
	await_gone(zh, "/container");
	await_gone(zh, "/short");
	OK(zookeeper_close(zh));
}

static void get_and_set(void) {
	zhandle_t *zh = open_handle();
	char buffer[64];
	int len = sizeof buffer;
	struct Stat stat;
	make(zh, "/data", "one");
	OK(zoo_get(zh, "/data", 0, buffer, &len, &stat));
	EQ(len, 3);
	CHECK(!memcmp(buffer, "one", 3));
	EQ(stat.version, 0);
	OK(zoo_set(zh, "/data", "two!", 4, 0));
	RC(zoo_set(zh, "/data", "three", 5, 0), ZBADVERSION);
	OK(zoo_set2(zh, "/data", "three", 5, 1, &stat));
	EQ(stat.version, 2);
	EQ(stat.dataLength, 5);
	CHECK(stat.mzxid > stat.czxid);
	OK(zoo_set2(zh, "/data", "four", 4, -1, &stat));
	EQ(stat.version, 3);
	len = 2;
	OK(zoo_get(zh, "/data", 0, buffer, &len, &stat));
	EQ(len, 2); // cut to the buffer; the stat has the length
	EQ(stat.dataLength, 4);

	OK(zoo_set(zh, "/data", NULL, -1, -1));
	len = sizeof buffer;
	OK(zoo_get(zh, "/data", 0, buffer, &len, &stat));
	EQ(len, -1); // null is not the empty string
	OK(zoo_set(zh, "/data", "", 0, -1));
	len = sizeof buffer;
	OK(zoo_get(zh, "/data", 0, buffer, &len, &stat));
	EQ(len, 0);

	RC(zoo_get(zh, "/data/none", 0, buffer, &len, &stat), ZNONODE);
	RC(zoo_set(zh, "/data/none", "", 0, -1), ZNONODE);
	RC(zoo_get(zh, "/data//", 0, buffer, &len, &stat), ZBADARGUMENTS);
	OK(zookeeper_close(zh));
}

static void large_data(void) {
	zhandle_t *zh = open_handle();
	int size = 1000000, len = size;
	char *in = malloc(size), *out = malloc(size);
	for (int i = 0; i < size; i++) in[i] = i * 31 >> 4;
	OK(zoo_create(zh, "/large", in, size, open_acl, 0, NULL, 0));
	OK(zoo_get(zh, "/large", 0, out, &len, NULL));
	EQ(len, size);
	CHECK(!memcmp(in, out, size));
	free(in);
	free(out);
	OK(zookeeper_close(zh));
}

static void exists_and_delete(void) {
	zhandle_t *zh = open_handle();
	struct Stat stat;
	make(zh, "/there", "x");
	make(zh, "/there/child", "");
	OK(zoo_exists(zh, "/there", 0, &stat));
	EQ(stat.numChildren, 1);
	EQ(stat.cversion, 1);
	CHECK(stat.pzxid > stat.czxid);
	RC(zoo_exists(zh, "/nowhere", 0, &stat), ZNONODE);
	RC(zoo_delete(zh, "/there", -1), ZNOTEMPTY);
	RC(zoo_delete(zh, "/there/child", 7), ZBADVERSION);
	OK(zoo_delete(zh, "/there/child", 0));
	OK(zoo_delete(zh, "/there", -1));
	RC(zoo_delete(zh, "/there", -1), ZNONODE);
	RC(zoo_delete(zh, "/", -1), ZBADARGUMENTS);
	OK(zookeeper_close(zh));
}

static void children(void) {
	zhandle_t *zh = open_handle();
	struct String_vector names;
	struct Stat stat;
	make(zh, "/family", "");
	OK(zoo_get_children(zh, "/family", 0, &names));
	EQ(names.count, 0);
	deallocate_String_vector(&names);
	for (int i = 0; i < 200; i++) {
		char path[32];
		snprintf(path, sizeof path, "/family/c%d", i);
		make(zh, path, "");
	}
	OK(zoo_get_children(zh, "/family", 0, &names));
	EQ(names.count, 200);
	CHECK(has(&names, "c0") && has(&names, "c199"));
	deallocate_String_vector(&names);
	OK(zoo_get_children2(zh, "/family", 0, &names, &stat));
	EQ(names.count, 200);
	EQ(stat.numChildren, 200);
	EQ(stat.cversion, 200);
	deallocate_String_vector(&names);
	RC(zoo_get_children(zh, "/family/none", 0, &names), ZNONODE);
	RC(zoo_get_children2(zh, "/family/none", 0, &names, &stat), ZNONODE);
	OK(zoo_get_children(zh, "/", 0, &names));
	CHECK(has(&names, "zookeeper") && has(&names, "family"));
	deallocate_String_vector(&names);
	OK(zookeeper_close(zh));
}

static void async_calls(void) {
	zhandle_t *zh = open_handle();
	struct reply r;
	REPLY(&r, zoo_acreate(zh, "/async", "data", 4, open_acl, 0, got_text, &r), ZOK);
	STR(r.text, "/async");
	REPLY(&r, zoo_acreate(zh, "/async", "data", 4, open_acl, 0, got_text, &r), ZNODEEXISTS);
	REPLY(&r, zoo_acreate2(zh, "/async/s", NULL, -1, open_acl, ZOO_PERSISTENT_SEQUENTIAL, got_text_stat, &r), ZOK);
	STR(r.text, "/async/s0000000000");
	CHECK(r.stat.czxid > 0);
	REPLY(&r, zoo_acreate_ttl(zh, "/async/t", NULL, -1, open_acl, ZOO_PERSISTENT_WITH_TTL, 60000, got_text, &r), ZOK);
	REPLY(&r, zoo_acreate2_ttl(zh, "/async/t2", NULL, -1, open_acl, ZOO_PERSISTENT_WITH_TTL, 60000, got_text_stat, &r),
		ZOK);
	EQ(r.stat.ephemeralOwner, 0);

	REPLY(&r, zoo_aexists(zh, "/async", 0, got_stat, &r), ZOK);
	EQ(r.stat.numChildren, 3);
	REPLY(&r, zoo_aexists(zh, "/async/none", 0, got_stat, &r), ZNONODE);
	REPLY(&r, zoo_aget(zh, "/async", 0, got_data, &r), ZOK);
	STR(r.text, "data");
	EQ(r.len, 4);
	REPLY(&r, zoo_aget(zh, "/async/none", 0, got_data, &r), ZNONODE);
	REPLY(&r, zoo_aset(zh, "/async", "new", 3, 0, got_stat, &r), ZOK);
	EQ(r.stat.version, 1);
	REPLY(&r, zoo_aset(zh, "/async", "new", 3, 0, got_stat, &r), ZBADVERSION);
	REPLY(&r, zoo_aget_children(zh, "/async", 0, got_names, &r), ZOK);
	EQ(r.count, 3);
	REPLY(&r, zoo_aget_children2(zh, "/async", 0, got_names_stat, &r), ZOK);
	EQ(r.count, 3);
	EQ(r.stat.version, 1);
	REPLY(&r, zoo_aget_children2(zh, "/async/none", 0, got_names_stat, &r), ZNONODE);
	REPLY(&r, zoo_async(zh, "/async", got_text, &r), ZOK);
	STR(r.text, "/async");
	REPLY(&r, zoo_async(zh, "/not/there", got_text, &r), ZOK); // sync does not look at the path
	REPLY(&r, zoo_aget_acl(zh, "/async", got_acl, &r), ZOK);
	EQ(r.count, 1);
	EQ(r.len, ZOO_PERM_ALL);
	STR(r.text, "world:anyone");
	REPLY(&r, zoo_aset_acl(zh, "/async", 0, &ZOO_READ_ACL_UNSAFE, got_nothing, &r), ZOK);
	REPLY(&r, zoo_aset_acl(zh, "/async", 0, open_acl, got_nothing, &r), ZNOAUTH); // it was the last time
	REPLY(&r, zoo_adelete(zh, "/async/s0000000000", 5, got_nothing, &r), ZNOAUTH);
	REPLY(&r, zoo_adelete(zh, "/async", -1, got_nothing, &r), ZNOTEMPTY);
	make(zh, "/asyncgone", "");
	REPLY(&r, zoo_adelete(zh, "/asyncgone", 0, got_nothing, &r), ZOK);
	REPLY(&r, zoo_adelete(zh, "/asyncgone", 0, got_nothing, &r), ZNONODE);
	OK(zookeeper_close(zh));
}

// pipeline sends without waiting; replies come in the order of the requests, and each write sees those before it.
static void pipeline(void) {
	enum { n = 500 };
	zhandle_t *zh = open_handle();
	static struct reply set[n], get[n];
	make(zh, "/pipeline", "");
	for (int i = 0; i < n; i++) {
		char data[16];
		begin(&set[i]);
		begin(&get[i]);
		OK(zoo_aset(zh, "/pipeline", data, snprintf(data, sizeof data, "%d", i), i, got_stat, &set[i]));
		OK(zoo_aget(zh, "/pipeline", 0, got_data, &get[i]));
	}
	for (int i = 0; i < n; i++) {
		OK(finish(&set[i]));
		OK(finish(&get[i]));
		EQ(set[i].stat.version, i + 1);
		EQ(atoi(get[i].text), i);
		EQ(get[i].stat.version, i + 1);
		EQ(get[i].order, set[i].order + 1);
		if (i > 0) EQ(set[i].order, get[i - 1].order + 1);
	}
	OK(zookeeper_close(zh));
}

// multi leaves out what this client cannot read the answer to: no operations at all, and containers.
static void multi(void) {
	zhandle_t *zh = open_handle();
	zoo_op_t ops[5];
	zoo_op_result_t results[5];
	char first[64], second[64];
	struct Stat stat;
	make(zh, "/multi", "");
	zoo_create_op_init(&ops[0], "/multi/a", "a", 1, open_acl, 0, first, sizeof first);
	zoo_create_op_init(&ops[1], "/multi/a/s-", NULL, -1, open_acl, ZOO_EPHEMERAL_SEQUENTIAL, second, sizeof second);
	zoo_set_op_init(&ops[2], "/multi", "set", 3, 0, &stat);
	zoo_check_op_init(&ops[3], "/multi", 1);
	zoo_delete_op_init(&ops[4], "/multi/a/s-0000000000", 0);
	OK(zoo_multi(zh, 5, ops, results));
	for (int i = 0; i < 5; i++) EQ(results[i].err, ZOK);
	STR(results[0].value, "/multi/a");
	STR(second, "/multi/a/s-0000000000");
	EQ(stat.version, 1);
	EQ(stat.dataLength, 3);
	RC(zoo_exists(zh, second, 0, NULL), ZNONODE);

	// One that fails takes all with it; those after it have no result of their own.
	zoo_create_op_init(&ops[0], "/multi/b", NULL, -1, open_acl, 0, first, sizeof first);
	zoo_check_op_init(&ops[1], "/multi", 7);
	zoo_delete_op_init(&ops[2], "/multi/a", -1);
	RC(zoo_multi(zh, 3, ops, results), ZBADVERSION);
	EQ(results[0].err, ZOK);
	EQ(results[1].err, ZBADVERSION);
	EQ(results[2].err, ZRUNTIMEINCONSISTENCY);
	RC(zoo_exists(zh, "/multi/b", 0, NULL), ZNONODE);
	OK(zoo_exists(zh, "/multi/a", 0, NULL));

	struct reply r;
	zoo_create_op_init(&ops[0], "/multi/b", NULL, -1, open_acl, 0, first, sizeof first);
	zoo_create_op_init(&ops[1], "/multi/c", NULL, -1, open_acl, 0, second, sizeof second);
	REPLY(&r, zoo_amulti(zh, 2, ops, results, got_nothing, &r), ZOK);
	OK(zoo_exists(zh, "/multi/c", 0, &stat));
	long long zxid = stat.czxid;
	OK(zoo_exists(zh, "/multi/b", 0, &stat));
	EQ(stat.czxid, zxid); // one zxid for all
	REPLY(&r, zoo_amulti(zh, 2, ops, results, got_nothing, &r), ZNODEEXISTS);
	OK(zookeeper_close(zh));
}

static void acls(void) {
	zhandle_t *zh = open_handle();
	struct ACL_vector acl;
	struct Stat stat;
	char buffer[16];
	int len = sizeof buffer;
	OK(zoo_create(zh, "/acl", "x", 1, &ZOO_READ_ACL_UNSAFE, 0, NULL, 0));
	OK(zoo_get(zh, "/acl", 0, buffer, &len, NULL));
	RC(zoo_set(zh, "/acl", "", 0, -1), ZNOAUTH);
	RC(zoo_create(zh, "/acl/x", NULL, -1, open_acl, 0, NULL, 0), ZNOAUTH);
	RC(zoo_set_acl(zh, "/acl", -1, open_acl), ZNOAUTH);

	make(zh, "/acl2", "");
	struct ACL two[] = {{ZOO_PERM_READ | ZOO_PERM_ADMIN, {"world", "anyone"}}, {ZOO_PERM_WRITE, {"ip", "10.0.0.0/8"}}};
	struct ACL_vector both = {2, two};
	OK(zoo_set_acl(zh, "/acl2", 0, &both));
	RC(zoo_set_acl(zh, "/acl2", 0, &both), ZBADVERSION);
	OK(zoo_get_acl(zh, "/acl2", &acl, &stat));
	EQ(acl.count, 2);
	EQ(stat.aversion, 1);
	EQ(acl.data[0].perms, ZOO_PERM_READ | ZOO_PERM_ADMIN);
	STR(acl.data[1].id.scheme, "ip");
	STR(acl.data[1].id.id, "10.0.0.0/8");
	deallocate_ACL_vector(&acl);
	RC(zoo_set(zh, "/acl2", "", 0, -1), ZNOAUTH);
	RC(zoo_get_acl(zh, "/none", &acl, &stat), ZNONODE);
	OK(zookeeper_close(zh));
}

static void digest(void) {
	zhandle_t *owner = open_handle(), *other = open_handle();
	struct reply r;
	struct ACL_vector acl;
	char buffer[16];
	int len = sizeof buffer;
	RC(zoo_create(owner, "/digest", "x", 1, &ZOO_CREATOR_ALL_ACL, 0, NULL, 0), ZINVALIDACL); // creator of no name
	REPLY(&r, zoo_add_auth(owner, "digest", "bob:builder", 11, got_nothing, &r), ZOK);
	OK(zoo_create(owner, "/digest", "x", 1, &ZOO_CREATOR_ALL_ACL, 0, NULL, 0));
	OK(zoo_get_acl(owner, "/digest", &acl, NULL));
	EQ(acl.count, 1);
	EQ(acl.data[0].perms, ZOO_PERM_ALL);
	STR(acl.data[0].id.scheme, "digest");
	STR(acl.data[0].id.id, "bob:4rsXV9JgUbFl9ZE40xENilxlRV8=");
	deallocate_ACL_vector(&acl);

	catch_up(other);
	RC(zoo_get(other, "/digest", 0, buffer, &len, NULL), ZNOAUTH);
	REPLY(&r, zoo_add_auth(other, "digest", "bob:wrong", 9, got_nothing, &r), ZOK); // a name of its own
	RC(zoo_get(other, "/digest", 0, buffer, &len, NULL), ZNOAUTH);
	REPLY(&r, zoo_add_auth(other, "digest", "bob:builder", 11, got_nothing, &r), ZOK);
	OK(zoo_get(other, "/digest", 0, buffer, &len, NULL));
	EQ(len, 1);

	zhandle_t *super = open_handle();
	REPLY(&r, zoo_add_auth(super, "digest", "super:secret", 12, got_nothing, &r), ZOK);
	OK(zoo_set(super, "/digest", "y", 1, -1));
	OK(zookeeper_close(super));
	OK(zookeeper_close(other));
	OK(zookeeper_close(owner));
}

static void auth_refused(void) {
	struct events e = EVENTS;
	zhandle_t *zh = open_at(direct, 10000, NULL, &e);
	struct reply r;
	REPLY(&r, zoo_add_auth(zh, "nosuch", "x", 1, got_nothing, &r), ZAUTHFAILED);
	state_comes(&e, ZOO_AUTH_FAILED_STATE);
	RC(zoo_exists(zh, "/", 0, NULL), ZINVALIDSTATE);
	EQ(is_unrecoverable(zh), ZINVALIDSTATE);
	OK(zookeeper_close(zh));
}

static void config(void) {
	zhandle_t *zh = open_handle();
	char buffer[512];
	int len = sizeof buffer;
	struct Stat stat;
	struct reply r;
	OK(zoo_getconfig(zh, 0, buffer, &len, &stat));
	EQ(len > 0 && memmem(buffer, len, "server.", 7), of_several()); // a standalone server names none
	REPLY(&r, zoo_agetconfig(zh, 0, got_data, &r), ZOK);
	len = sizeof buffer;
	RC(zoo_reconfig(zh, "server.2=127.0.0.1:2:3;4", NULL, NULL, -1, buffer, &len, &stat), ZRECONFIGDISABLED);
	REPLY(&r, zoo_areconfig(zh, NULL, "2", NULL, -1, got_data, &r), ZRECONFIGDISABLED);
	OK(zoo_exists(zh, "/", 0, NULL));
	OK(zookeeper_close(zh));
}

static void chroot_prefix(void) {
	zhandle_t *zh = open_handle();
	make(zh, "/root", "");
	char host[256], name[64];
	snprintf(host, sizeof host, "%s/root", direct);
	struct events e = EVENTS;
	zhandle_t *in = open_at(host, 10000, NULL, NULL);
	RC(zoo_wexists(in, "/x", note, &e, NULL), ZNONODE);
	OK(zoo_create(in, "/x", NULL, -1, open_acl, ZOO_PERSISTENT_SEQUENTIAL, name, sizeof name));
	STR(name, "/x0000000000");
	OK(zoo_create(in, "/x", NULL, -1, open_acl, 0, name, sizeof name));
	STR(name, "/x");
	next_is(&e, ZOO_CREATED_EVENT, "/x");
	catch_up(zh);
	OK(zoo_exists(zh, "/root/x", 0, NULL));
	struct String_vector names;
	OK(zoo_get_children(in, "/", 0, &names));
	EQ(names.count, 2);
	deallocate_String_vector(&names);
	OK(zookeeper_close(in));
	OK(zookeeper_close(zh));
}

const struct test calls[] = {
	{"connect and negotiated timeouts", connects},
	{"create modes", create_modes},
	{"create2 answers the stat", create2_stat},
	{"create refused", create_refused},
	{"containers and TTL nodes go by themselves", go_by_themselves},
	{"get and set", get_and_set},
	{"a megabyte", large_data},
	{"exists and delete", exists_and_delete},
	{"children", children},
	{"asynchronous calls", async_calls},
	{"pipelined calls in order", pipeline},
	{"multi", multi},
	{"ACLs", acls},
	{"digest auth, creator ACL, superuser", digest},
	{"unknown auth scheme", auth_refused},
	{"config, and reconfig refused", config},
	{"chroot", chroot_prefix},
	{0},
};
