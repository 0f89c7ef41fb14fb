package consensus

import "reflect"

// letGo makes a future of raft answer with raft.ErrRaftShutdown, at the latest,
// when gone is closed. Raft forgets some futures when it is shut down: those of
// entries that were committed and that its state machine had not begun to apply.
// Whoever waits for one waits for ever.
//
// Raft has a channel for that in every future, and sets it in a few. The field
// is exported, its type is not: hence reflection. Nobody but Error reads it. It
// returns false for a future that has none, which is one that has its answer.
func letGo(future any, gone chan struct{}) bool {
	v := reflect.ValueOf(future)
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
		return false
	}
	field := v.Elem().FieldByName("ShutdownCh")
	if !field.IsValid() || !field.CanSet() || field.Type() != reflect.TypeOf(gone) {
		return false
	}
	field.Set(reflect.ValueOf(gone))
	return true
}
