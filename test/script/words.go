package script

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"zkd/test/wire"
)

func (r *run) stepWords(c *client, a *args) error {
	text, err := wire.Words(r.srv.Addr(), string(a.bytes(0)), replyTimeout)
	if err != nil {
		return err
	}
	text = r.plain(text, a.opt["from"].text, a.opt["to"].text)
	if a.has("only") {
		text = onlyLines(text, a.opt["only"].text)
	}
	if a.has("sorted") {
		text = sortLists(text)
	}
	var keys []string
	for line := range strings.Lines(text) {
		if k := lineKey.FindString(line); k != "" {
			keys = append(keys, fmt.Sprintf("%q", k))
		}
	}
	if !a.has("keys") || len(keys) == 0 {
		r.say(c, "%q", text)
		return nil
	}
	r.say(c, "%s", strings.Join(keys, " "))
	return nil
}

// plain cuts a part out of a text and puts names in place of what differs from run to run.
func (r *run) plain(text, from, to string) string {
	var b strings.Builder
	in := from == ""
	for line := range strings.Lines(text) {
		in = in || strings.HasPrefix(line, from)
		if in && to != "" && strings.HasPrefix(line, to) {
			break
		}
		if in {
			b.WriteString(line)
		}
	}
	text = strings.ReplaceAll(b.String(), r.f.root, "~")
	for id, name := range r.f.sessions {
		text = strings.ReplaceAll(text, fmt.Sprintf("0x%x", uint64(id)), "0x<"+name+">")
	}
	return text
}

// onlyLines returns the lines that begin with prefix.
func onlyLines(text, prefix string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, prefix) {
			b.WriteString(line)
		}
	}
	return b.String()
}

// sortLists sorts heads, and what is indented below each.
func sortLists(text string) string {
	var lists [][]string
	for line := range strings.Lines(text) {
		if n := len(lists); n > 0 && strings.HasPrefix(line, "\t") {
			lists[n-1] = append(lists[n-1], line)
			continue
		}
		lists = append(lists, []string{line})
	}
	for _, l := range lists {
		slices.Sort(l[1:])
	}
	slices.SortFunc(lists, slices.Compare)
	return strings.Join(slices.Concat(lists...), "")
}

func (r *run) stepWordHas(c *client, a *args) error {
	text, err := wire.Words(r.srv.Addr(), string(a.bytes(0)), replyTimeout)
	if err != nil {
		return err
	}
	var missing []string
	for _, key := range a.pos[1:] {
		if !strings.Contains("\n"+text, "\n"+key.text) {
			missing = append(missing, key.text)
		}
	}
	if len(missing) > 0 {
		r.say(c, "no %s", strings.Join(missing, " "))
		return nil
	}
	r.say(c, "all there")
	return nil
}

// restart brings the server down and up; every connection is gone.
func (r *run) restart() error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := r.srv.Restart(ctx); err != nil {
		return err
	}
	for _, c := range r.clients {
		if c.conn != nil {
			c.conn.Close()
		}
		c.closed = true
	}
	return nil
}
