package znode

import (
	"bytes"
	"fmt"
	"io"
	"testing"

	"zkd/proto/jute"
)

// benchTree has 100 parents with as many children each as make it znodes in
// all, with 100 bytes of data and paths of 26 bytes.
func benchTree(b testing.TB, znodes int) (*Tree, []string) {
	tree := New()
	tx := &Txn{Zxid: 1, Time: 1}
	c := request("", string(make([]byte, 100)), jute.Persistent, open)
	paths := make([]string, 0, znodes)
	for i := range znodes {
		for _, path := range []string{fmt.Sprintf("/parent-%05d", i/1000), fmt.Sprintf("/parent-%05d/node-%07d", i/1000, i)} {
			if i%1000 != 0 && len(path) < 20 {
				continue
			}
			c.Path = path
			tree.Begin(tx)
			if _, _, code := tree.Create(jute.OpCreate, c); code != jute.OK {
				b.Fatal(path, code)
			}
		}
		paths = append(paths, c.Path)
	}
	return tree, paths
}

func BenchmarkSetData(b *testing.B) {
	for _, size := range []int{100, 1000, 100_000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			tree, paths := benchTree(b, 100_000)
			paths = paths[:len(paths)*100/size]
			data := make([]byte, size)
			tx := &Txn{Zxid: 1, Time: 1}
			b.ResetTimer()
			for i := range b.N {
				tx.Zxid++
				tree.Begin(tx)
				if _, code := tree.SetData(paths[i*7919%len(paths)], data, -1); code != jute.OK {
					b.Fatal(code)
				}
			}
		})
	}
}

func BenchmarkCreateDelete(b *testing.B) {
	tree, _ := benchTree(b, 100_000)
	c := request("/parent-00007/another", string(make([]byte, 100)), jute.Persistent, open)
	tx := &Txn{Zxid: 1, Time: 1}
	b.ResetTimer()
	for range b.N {
		tx.Zxid++
		tree.Begin(tx)
		if _, _, code := tree.Create(jute.OpCreate, c); code != jute.OK {
			b.Fatal(code)
		}
		tree.Begin(tx)
		if code := tree.Delete(c.Path, -1); code != jute.OK {
			b.Fatal(code)
		}
	}
}

// BenchmarkImage is of a tree of 200,000 znodes.
func BenchmarkImage(b *testing.B) {
	tree, _ := benchTree(b, 200_000)
	written := image(b, tree)
	b.Run("write", func(b *testing.B) {
		b.SetBytes(int64(len(written)))
		for range b.N {
			s := tree.Snapshot()
			if _, err := s.WriteTo(io.Discard); err != nil {
				b.Fatal(err)
			}
			s.Release()
		}
	})
	b.Run("load", func(b *testing.B) {
		b.SetBytes(int64(len(written)))
		for range b.N {
			if _, err := Load(bytes.NewReader(written)); err != nil {
				b.Fatal(err)
			}
		}
	})
}
