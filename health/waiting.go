package health

import (
	"fmt"
	"slices"
	"strings"
)

// waits is the state of a server that runs and is no member.
const waits = "no member, waits to be taken in"

// noteWaiting finds the servers of the zoo.cfg that somebody has to take in.
func (h *Ensemble) noteWaiting(config string) {
	h.Config = config
	for _, s := range h.Servers {
		if !s.listed && s.State == waits {
			h.Waiting = append(h.Waiting, s.ID)
		}
	}
	slices.Sort(h.Waiting)
}

// advice is what to do about those who wait, "" if nobody does.
func (h *Ensemble) advice() string {
	if len(h.Waiting) == 0 {
		return ""
	}
	who := fmt.Sprintf("%d listed servers wait", len(h.Waiting))
	if len(h.Waiting) == 1 {
		who = "1 listed server waits"
	}
	return fmt.Sprintf("%s to be taken in: zkd member add %s --config %s\n", who, strings.Trim(fmt.Sprint(h.Waiting), "[]"), h.Config)
}
