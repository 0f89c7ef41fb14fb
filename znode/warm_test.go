package znode

import (
	"fmt"
	"strings"
	"testing"
)

// Whatever is in a row, each path is followed as far as there are znodes: to
// the one that a lookup finds, or to none; a slash at its end is not seen.
func TestWarmFollowsEachPath(t *testing.T) {
	tree, _ := benchTree(t, 3000)
	for _, paths := range [][]string{
		{"/parent-00000/node-0000007", "/parent-00002/node-0002999", "/parent-00001", "/zookeeper/quota"},
		{"/parent-00000/none", "/none/node-0000007", "/parent-00001/node-0001001/none/none", "/parent-00001/"},
		{"/parent-00001/node-0001001", "", "/", "parent-00001", "//x", "/parent-00001//node-0001001"},
	} {
		var row Row
		var added []string
		for _, path := range paths {
			n := len(row.walks)
			if row.Add(path); len(row.walks) > n {
				added = append(added, path)
			}
		}
		tree.Warm(&row)
		for i, w := range row.walks {
			if want := tree.lookup(strings.TrimSuffix(added[i], "/")); w.id != want {
				t.Errorf("%q led to record %d, a lookup to %d", added[i], w.id, want)
			}
		}
		row.Reset()
		if len(row.walks) != 0 {
			t.Error("a row that was reset is not empty")
		}
	}
}

func TestWarmDoesNotAllocate(t *testing.T) {
	tree, paths := benchTree(t, 3000)
	var row Row
	fill := func() {
		row.Reset()
		for i := range 16 {
			row.Add(paths[i*97])
		}
		tree.Warm(&row)
	}
	fill()
	if got := testing.AllocsPerRun(100, fill); got != 0 {
		t.Errorf("%v allocations a row", got)
	}
}

// BenchmarkLookups is of random getData in rows of 16, as pipelining clients send them.
func BenchmarkLookups(b *testing.B) {
	for _, znodes := range []int{1000, 1_000_000} {
		tree, paths := benchTree(b, znodes)
		for _, warm := range []bool{false, true} {
			b.Run(fmt.Sprintf("%d/warm=%v", znodes, warm), func(b *testing.B) {
				who, dst := &Actor{SkipACL: true}, make([]byte, 0, 4096)
				var row Row
				var lot [16]string
				for i := uint64(0); i < uint64(b.N); i += 16 {
					row.Reset()
					for j := range lot {
						lot[j] = paths[(i+uint64(j))*0x9e3779b97f4a7c15>>20%uint64(len(paths))]
						row.Add(lot[j])
					}
					if warm {
						tree.Warm(&row)
					}
					for _, path := range lot {
						tree.AppendData(dst, path, who)
					}
				}
			})
		}
	}
}
