// Sessions of the C client: kept over lost connections, taken over by their id, ended.
#include "check.h"

#include <string.h>

static void ephemeral(zhandle_t *zh, const char *path) {
	OK(zoo_create(zh, path, NULL, -1, &ZOO_OPEN_ACL_UNSAFE, ZOO_EPHEMERAL, NULL, 0));
}

static void ends_with_close(void) {
	zhandle_t *zh = open_handle(), *other = open_handle();
	struct events e = EVENTS;
	ephemeral(zh, "/close");
	catch_up(other);
	OK(zoo_wexists(other, "/close", note, &e, NULL));
	OK(zookeeper_close(zh));
	next_is(&e, ZOO_DELETED_EVENT, "/close");
	RC(zoo_exists(other, "/close", 0, NULL), ZNONODE);
	OK(zookeeper_close(other));
}

static void reconnects(void) {
	struct events own = EVENTS, data = EVENTS, kids = EVENTS, none = EVENTS;
	zhandle_t *other = open_handle(), *zh = open_at(proxied, 10000, NULL, &own);
	state_comes(&own, ZOO_CONNECTED_STATE);
	clientid_t id = *zoo_client_id(zh);
	struct String_vector names;
	char buffer[16];
	int len = sizeof buffer;
	make(other, "/again", "");
	catch_up(zh);
	OK(zoo_wget(zh, "/again", note, &data, buffer, &len, NULL));
	OK(zoo_wget_children(zh, "/again", note, &kids, &names));
	deallocate_String_vector(&names);
	RC(zoo_wexists(zh, "/again2", note, &none, NULL), ZNONODE);
	ephemeral(zh, "/again/e"); // fires the watch of children
	next_is(&kids, ZOO_CHILD_EVENT, "/again");
	OK(zoo_wget_children(zh, "/again", note, &kids, &names));
	deallocate_String_vector(&names);

	order("drop");
	state_comes(&own, ZOO_CONNECTING_STATE);
	state_comes(&own, ZOO_CONNECTED_STATE);
	CHECK(!memcmp(&id, zoo_client_id(zh), sizeof id));
	OK(zoo_exists(zh, "/again/e", 0, NULL));
	OK(zoo_set(other, "/again", "1", 1, -1));
	OK(zoo_create(other, "/again/x", NULL, -1, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0));
	make(other, "/again2", "");
	next_is(&data, ZOO_CHANGED_EVENT, "/again");
	next_is(&kids, ZOO_CHILD_EVENT, "/again");
	next_is(&none, ZOO_CREATED_EVENT, "/again2");
	OK(zoo_exists(zh, "/again", 0, NULL));
	none_left(&data);
	none_left(&kids);
	none_left(&none);
	OK(zookeeper_close(zh));
	OK(zookeeper_close(other));
}

// told_late: what happened while the connection was away is told when it is back.
static void told_late(void) {
	struct events own = EVENTS, data = EVENTS, gone = EVENTS, kids = EVENTS, none = EVENTS, still = EVENTS;
	zhandle_t *other = open_handle(), *zh = open_at(proxied, 10000, NULL, &own);
	state_comes(&own, ZOO_CONNECTED_STATE);
	make(other, "/late", "");
	make(other, "/late/gone", "");
	make(other, "/late/still", "");
	catch_up(zh);
	char buffer[16];
	int len = sizeof buffer;
	struct String_vector names;
	OK(zoo_wget(zh, "/late", note, &data, buffer, &len, NULL));
	OK(zoo_wexists(zh, "/late/gone", note, &gone, NULL));
	OK(zoo_wexists(zh, "/late/still", note, &still, NULL));
	RC(zoo_wexists(zh, "/late/new", note, &none, NULL), ZNONODE);
	OK(zoo_wget_children(zh, "/late", note, &kids, &names));
	deallocate_String_vector(&names);
	order("cut");
	state_comes(&own, ZOO_CONNECTING_STATE);
	struct reply r;
	begin(&r);
	int rc = zoo_aexists(zh, "/late", 0, got_stat, &r);
	if (rc == ZOK) RC(finish(&r), ZCONNECTIONLOSS); // queued, and lost with the next try to connect
	OK(zoo_set(other, "/late", "1", 1, -1));
	OK(zoo_delete(other, "/late/gone", -1));
	make(other, "/late/new", "");
	order("open");
	state_comes(&own, ZOO_CONNECTED_STATE);
	next_is(&data, ZOO_CHANGED_EVENT, "/late");
	next_is(&gone, ZOO_DELETED_EVENT, "/late/gone");
	next_is(&none, ZOO_CREATED_EVENT, "/late/new");
	next_is(&kids, ZOO_CHILD_EVENT, "/late");
	OK(zoo_exists(zh, "/late", 0, NULL));
	none_left(&still);
	OK(zoo_set(other, "/late/still", "1", 1, -1));
	next_is(&still, ZOO_CHANGED_EVENT, "/late/still");
	OK(zookeeper_close(zh));
	OK(zookeeper_close(other));
}

static void auth_again(void) {
	struct events own = EVENTS;
	zhandle_t *zh = open_at(proxied, 10000, NULL, &own);
	state_comes(&own, ZOO_CONNECTED_STATE);
	struct reply r;
	REPLY(&r, zoo_add_auth(zh, "digest", "eve:pw", 6, got_nothing, &r), ZOK);
	OK(zoo_create(zh, "/eve", NULL, -1, &ZOO_CREATOR_ALL_ACL, 0, NULL, 0));
	order("drop");
	state_comes(&own, ZOO_CONNECTED_STATE);
	OK(zoo_set(zh, "/eve", "x", 1, -1));
	OK(zookeeper_close(zh));
}

// taken_over: the id and the password are all that a session needs to go on in another handle.
static void taken_over(void) {
	zhandle_t *zh = open_at(proxied, 10000, NULL, NULL);
	clientid_t id = *zoo_client_id(zh);
	ephemeral(zh, "/over");
	order("cut");
	zookeeper_close(zh); // which cannot tell the server
	order("open");

	struct events e = EVENTS;
	zhandle_t *next = open_at(direct, 10000, &id, &e);
	EQ(zoo_state(next), ZOO_CONNECTED_STATE);
	EQ(zoo_client_id(next)->client_id, id.client_id);
	struct Stat stat;
	OK(zoo_exists(next, "/over", 0, &stat));
	EQ(stat.ephemeralOwner, id.client_id);
	OK(zookeeper_close(next));

	// The session is closed now, and its ephemeral gone with it.
	struct events late = EVENTS;
	zhandle_t *third = open_at(direct, 10000, &id, &late);
	state_comes(&late, ZOO_EXPIRED_SESSION_STATE);
	zookeeper_close(third);
	zhandle_t *other = open_handle();
	catch_up(other);
	RC(zoo_exists(other, "/over", 0, NULL), ZNONODE);
	OK(zookeeper_close(other));
}

static void wrong_password(void) {
	zhandle_t *zh = open_handle();
	ephemeral(zh, "/password");
	clientid_t id = *zoo_client_id(zh);
	memset(id.passwd, 'x', sizeof id.passwd);
	struct events e = EVENTS;
	zhandle_t *thief = open_at(direct, 10000, &id, &e);
	state_comes(&e, ZOO_EXPIRED_SESSION_STATE);
	EQ(zoo_state(thief), ZOO_EXPIRED_SESSION_STATE);
	RC(zoo_exists(thief, "/", 0, NULL), ZINVALIDSTATE);
	zookeeper_close(thief);
	zhandle_t *other = open_handle();
	catch_up(other);
	OK(zoo_exists(other, "/password", 0, NULL));
	OK(zookeeper_close(other));
	zookeeper_close(zh);
}

// expires: a session whose client is silent for longer than its timeout ends, and the client is told on return.
static void expires(void) {
	struct events own = EVENTS, seen = EVENTS, data = EVENTS;
	zhandle_t *other = open_handle(), *zh = open_at(proxied, 1000, NULL, &own);
	state_comes(&own, ZOO_CONNECTED_STATE);
	EQ(zoo_recv_timeout(zh), 1000);
	make(other, "/expire", "");
	ephemeral(zh, "/expire/e");
	catch_up(other);
	OK(zoo_wexists(zh, "/expire", note, &data, NULL));
	OK(zoo_wexists(other, "/expire/e", note, &seen, NULL));
	order("cut");
	next_is(&seen, ZOO_DELETED_EVENT, "/expire/e");
	order("open");
	state_comes(&own, ZOO_EXPIRED_SESSION_STATE);
	next_is(&data, ZOO_SESSION_EVENT, ""); // every watcher hears of it
	EQ(zoo_state(zh), ZOO_EXPIRED_SESSION_STATE);
	EQ(is_unrecoverable(zh), ZINVALIDSTATE);
	RC(zoo_exists(zh, "/expire", 0, NULL), ZINVALIDSTATE);
	zookeeper_close(zh);
	OK(zookeeper_close(other));
}

// idles: pings alone keep a session.
static void idles(void) {
	struct events own = EVENTS;
	zhandle_t *zh = open_at(direct, 1000, NULL, &own);
	state_comes(&own, ZOO_CONNECTED_STATE);
	ephemeral(zh, "/idle");
	sleep_ms(2500); // two and a half timeouts
	zhandle_t *other = open_handle();
	catch_up(other);
	OK(zoo_exists(other, "/idle", 0, NULL));
	OK(zoo_exists(zh, "/idle", 0, NULL));
	EQ(own.count, 1); // it never lost its connection
	OK(zookeeper_close(other));
	OK(zookeeper_close(zh));
}

// other_servers: a client of several servers goes to the next one with its session. zoo_set_servers would do so with
// servers at several addresses only: this client takes one with another port for the server it knows.
static void other_servers(void) {
	if (of_several()) return; // all that is below is about a list of two
	struct events own = EVENTS;
	char list[256];
	snprintf(list, sizeof list, "127.0.0.1:1,%s,%s", proxied, direct);
	zoo_deterministic_conn_order(1);
	zhandle_t *zh = open_at(list, 10000, NULL, &own);
	zoo_deterministic_conn_order(0);
	state_comes(&own, ZOO_CONNECTED_STATE);
	STR(zoo_get_current_server(zh), proxied); // nobody listens at the first
	clientid_t id = *zoo_client_id(zh);
	ephemeral(zh, "/moves");
	order("cut");
	state_comes(&own, ZOO_CONNECTED_STATE);
	STR(zoo_get_current_server(zh), direct);
	CHECK(!memcmp(&id, zoo_client_id(zh), sizeof id));
	OK(zoo_exists(zh, "/moves", 0, NULL));
	OK(zookeeper_close(zh));
}

static void may_be_read_only(void) {
	struct events own = EVENTS;
	zhandle_t *zh = zookeeper_init(direct, note, 10000, NULL, &own, ZOO_READONLY | ZOO_NO_LOG_CLIENTENV);
	CHECK(zh);
	state_comes(&own, ZOO_CONNECTED_STATE); // a server that writes is taken as such
	make(zh, "/readonly", "");
	OK(zookeeper_close(zh));
}

const struct test sessions[] = {
	{"close ends the session", ends_with_close},
	{"reconnect with watches set again", reconnects},
	{"events missed are told on reconnect", told_late},
	{"auth is sent again on reconnect", auth_again},
	{"session taken over by its id", taken_over},
	{"wrong password", wrong_password},
	{"expiry", expires},
	{"pings keep the session", idles},
	{"the next server of the list", other_servers},
	{"a client that takes read-only servers", may_be_read_only},
	{0},
};
