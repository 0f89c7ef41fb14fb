package oracle

import (
	"fmt"
	"reflect"
)

// Require complains of everything that a run had less of than it claims: a run in which nothing happens breaks no
// promise. Only fields of least that are not 0 count.
func (s Stats) Require(least Stats) (list []Fault) {
	have, want := reflect.ValueOf(s), reflect.ValueOf(least)
	for i := range want.NumField() {
		if h, w := have.Field(i).Int(), want.Field(i).Int(); h < w {
			list = append(list, Fault{NotVacuous, fmt.Sprintf("%s: %d, should be %d at least", want.Type().Field(i).Name, h, w)})
		}
	}
	return list
}
