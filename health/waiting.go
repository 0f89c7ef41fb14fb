package health

import (
	"fmt"
	"slices"
	"strings"
)

// waits is the state of a server that runs and is no member.
const waits = "no member, waits to be taken in"

// strays is the state of a server that the ensemble has agreed on, and that looks
// for it among other servers.
const strays = "no member: none of the servers that its zoo.cfg lists has led it to the ensemble"

// noteWaiting finds the servers of the zoo.cfg that somebody has to take in, and
// those that would be taken in if they asked.
func (h *Ensemble) noteWaiting(survey *Survey) {
	h.Config, h.ByFile = survey.Config, survey.ByFile
	for i, s := range h.Servers {
		switch {
		case s.State != waits:
		case !s.listed:
			h.Waiting = append(h.Waiting, s.ID)
		case survey.Agreed != nil && s.Status.RaftID == "":
			h.Servers[i].State = strays
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
	if h.ByFile {
		how := "it is when most servers run with a zoo.cfg that lists it"
		if len(h.Waiting) > 1 {
			how = "they are when most servers run with a zoo.cfg that lists them"
		}
		return fmt.Sprintf("%s to be taken in: %s\n", who, how)
	}
	return fmt.Sprintf("%s to be taken in: zkd member add %s --config %s\n", who, strings.Trim(fmt.Sprint(h.Waiting), "[]"), h.Config)
}
