// Watches of the C client: what sets them, what fires them, how they are removed.
#include "check.h"

#include <string.h>

static void fires_once(void) {
	zhandle_t *zh = open_handle(), *other = open_handle();
	struct events e = EVENTS;
	RC(zoo_wexists(zh, "/w", note, &e, NULL), ZNONODE);
	make(other, "/w", "");
	next_is(&e, ZOO_CREATED_EVENT, "/w");

	char buffer[16];
	int len = sizeof buffer;
	OK(zoo_wget(zh, "/w", note, &e, buffer, &len, NULL));
	OK(zoo_set(other, "/w", "1", 1, -1));
	OK(zoo_set(other, "/w", "2", 1, -1)); // nobody watches any more
	next_is(&e, ZOO_CHANGED_EVENT, "/w");
	catch_up(zh);
	OK(zoo_wexists(zh, "/w", note, &e, NULL)); // also comes after the second set's event, if there were one
	none_left(&e);
	OK(zoo_set(other, "/w", "3", 1, -1));
	next_is(&e, ZOO_CHANGED_EVENT, "/w");
	OK(zoo_wexists(zh, "/w", note, &e, NULL));
	OK(zoo_delete(other, "/w", -1));
	next_is(&e, ZOO_DELETED_EVENT, "/w");
	RC(zoo_wget(zh, "/w", note, &e, buffer, &len, NULL), ZNONODE); // leaves no watch
	make(other, "/w", "");
	catch_up(zh);
	RC(zoo_exists(zh, "/none", 0, NULL), ZNONODE);
	none_left(&e);
	OK(zookeeper_close(other));
	OK(zookeeper_close(zh));
}

static void of_children(void) {
	zhandle_t *zh = open_handle(), *other = open_handle();
	struct events e = EVENTS;
	struct String_vector names;
	struct Stat stat;
	make(other, "/wc", "");
	catch_up(zh);
	OK(zoo_wget_children(zh, "/wc", note, &e, &names));
	deallocate_String_vector(&names);
	OK(zoo_set(other, "/wc", "x", 1, -1)); // data is not children
	make(other, "/wc/a", "");
	next_is(&e, ZOO_CHILD_EVENT, "/wc");
	OK(zoo_wget_children2(zh, "/wc", note, &e, &names, &stat));
	EQ(names.count, 1);
	deallocate_String_vector(&names);
	OK(zoo_set(other, "/wc/a", "x", 1, -1)); // nor is a child's data
	OK(zoo_delete(other, "/wc/a", -1));
	next_is(&e, ZOO_CHILD_EVENT, "/wc");
	OK(zoo_wget_children(zh, "/wc", note, &e, &names));
	deallocate_String_vector(&names);
	OK(zoo_delete(other, "/wc", -1));
	next_is(&e, ZOO_DELETED_EVENT, "/wc");
	none_left(&e);
	OK(zookeeper_close(other));
	OK(zookeeper_close(zh));
}

// of_handle: a watch flag calls the handle's own watcher, with all other watchers of the path.
static void of_handle(void) {
	struct events own = EVENTS, a = EVENTS, b = EVENTS;
	zhandle_t *zh = open_at(direct, 10000, NULL, &own);
	make(zh, "/wh", "");
	char buffer[16];
	int len = sizeof buffer;
	struct String_vector names;
	OK(zoo_get(zh, "/wh", 1, buffer, &len, NULL));
	OK(zoo_exists(zh, "/wh", 1, NULL));
	OK(zoo_wget(zh, "/wh", note, &a, buffer, &len, NULL));
	OK(zoo_wexists(zh, "/wh", note, &b, NULL));
	OK(zoo_set(zh, "/wh", "x", 1, -1));
	next_is(&own, ZOO_CHANGED_EVENT, "/wh");
	next_is(&a, ZOO_CHANGED_EVENT, "/wh");
	next_is(&b, ZOO_CHANGED_EVENT, "/wh");
	OK(zoo_get_children(zh, "/wh", 1, &names));
	deallocate_String_vector(&names);
	make(zh, "/wh/c", "");
	next_is(&own, ZOO_CHILD_EVENT, "/wh");
	none_left(&own);

	struct events later = EVENTS;
	zoo_set_context(zh, &later);
	STR((char *)zoo_get_context(zh) == (char *)&later ? "new" : "old", "new");
	OK(zookeeper_close(zh));
}

static void async_watches(void) {
	zhandle_t *zh = open_handle();
	struct events e = EVENTS;
	struct reply r;
	REPLY(&r, zoo_awexists(zh, "/wa", note, &e, got_stat, &r), ZNONODE);
	make(zh, "/wa", "");
	next_is(&e, ZOO_CREATED_EVENT, "/wa");
	REPLY(&r, zoo_awget(zh, "/wa", note, &e, got_data, &r), ZOK);
	OK(zoo_set(zh, "/wa", "x", 1, -1));
	next_is(&e, ZOO_CHANGED_EVENT, "/wa");
	REPLY(&r, zoo_awget_children(zh, "/wa", note, &e, got_names, &r), ZOK);
	make(zh, "/wa/a", "");
	next_is(&e, ZOO_CHILD_EVENT, "/wa");
	REPLY(&r, zoo_awget_children2(zh, "/wa", note, &e, got_names_stat, &r), ZOK);
	make(zh, "/wa/b", "");
	next_is(&e, ZOO_CHILD_EVENT, "/wa");
	none_left(&e);
	OK(zookeeper_close(zh));
}

// of_multi: each operation fires its watches, in the order of the operations.
static void of_multi(void) {
	zhandle_t *zh = open_handle(), *other = open_handle();
	struct events e = EVENTS;
	make(zh, "/wm", "");
	struct String_vector names;
	OK(zoo_wget_children(zh, "/wm", note, &e, &names));
	deallocate_String_vector(&names);
	RC(zoo_wexists(zh, "/wm/a", note, &e, NULL), ZNONODE);
	OK(zoo_wexists(zh, "/wm", note, &e, NULL));
	zoo_op_t ops[2];
	zoo_op_result_t results[2];
	zoo_create_op_init(&ops[0], "/wm/a", NULL, -1, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0);
	zoo_set_op_init(&ops[1], "/wm", "x", 1, -1, NULL);
	OK(zoo_multi(other, 2, ops, results));
	next_is(&e, ZOO_CREATED_EVENT, "/wm/a");
	next_is(&e, ZOO_CHILD_EVENT, "/wm");
	next_is(&e, ZOO_CHANGED_EVENT, "/wm");
	OK(zookeeper_close(other));
	OK(zookeeper_close(zh));
}

static void removed(void) {
	zhandle_t *zh = open_handle();
	struct events e = EVENTS, kept = EVENTS;
	char buffer[16];
	int len = sizeof buffer;
	struct String_vector names;
	make(zh, "/wr", "");
	RC(zoo_remove_watches(zh, "/wr", ZWATCHTYPE_DATA, note, &e, 0), ZNOWATCHER);
	RC(zoo_remove_all_watches(zh, "/wr", ZWATCHTYPE_ANY, 0), ZNOWATCHER);

	// One of two watchers goes, the other still hears.
	OK(zoo_wget(zh, "/wr", note, &e, buffer, &len, NULL));
	OK(zoo_wget(zh, "/wr", note, &kept, buffer, &len, NULL));
	OK(zoo_remove_watches(zh, "/wr", ZWATCHTYPE_DATA, note, &e, 0));
	OK(zoo_set(zh, "/wr", "1", 1, -1));
	next_is(&kept, ZOO_CHANGED_EVENT, "/wr");
	none_left(&e);

	// Of two kinds, one goes.
	OK(zoo_wget(zh, "/wr", note, &e, buffer, &len, NULL));
	OK(zoo_wget_children(zh, "/wr", note, &kept, &names));
	deallocate_String_vector(&names);
	OK(zoo_remove_all_watches(zh, "/wr", ZWATCHTYPE_DATA, 0));
	OK(zoo_set(zh, "/wr", "2", 1, -1));
	make(zh, "/wr/c", "");
	next_is(&kept, ZOO_CHILD_EVENT, "/wr");
	none_left(&e);

	OK(zoo_wget(zh, "/wr", note, &e, buffer, &len, NULL));
	OK(zoo_wget_children(zh, "/wr", note, &e, &names));
	deallocate_String_vector(&names);
	OK(zoo_remove_all_watches(zh, "/wr", ZWATCHTYPE_ANY, 0));
	OK(zoo_delete(zh, "/wr/c", -1));
	OK(zoo_delete(zh, "/wr", -1));
	RC(zoo_exists(zh, "/wr", 0, NULL), ZNONODE);
	none_left(&e);
	OK(zookeeper_close(zh));
}

const struct test watches[] = {
	{"watches fire once", fires_once},
	{"watches of children", of_children},
	{"the handle's own watcher", of_handle},
	{"watches by asynchronous calls", async_watches},
	{"watches and multi", of_multi},
	{"watches removed", removed},
	{0},
};
