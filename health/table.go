package health

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// reason is the end of an error's chain, which says what has happened.
func reason(err error) string {
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" {
		return op.Err.Error()
	}
	return strings.ReplaceAll(err.Error(), "\n", "; ")
}

// forever is longer ago than any contact: there was none.
const forever = 24 * time.Hour

// String is the table for a person.
func (h *Ensemble) String() string {
	var b strings.Builder
	table := tabwriter.NewWriter(&b, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "SERVER\tADDRESS\tROLE\tTERM\tZXID\tLAG\tCONTACT\tSTATE")
	for _, s := range h.Servers {
		term, zxid, lag, contact, address := "-", "-", "-", "-", s.Address
		if st := s.Status; st != nil {
			zxid = fmt.Sprintf("%#x", uint64(st.Zxid))
			if st.RaftID != "" {
				term = strconv.FormatUint(st.Term, 10)
				if st.Contact < forever {
					contact = st.Contact.Round(time.Millisecond).String()
				}
			}
		}
		if s.Status != nil && s.State != "knows no leader" || s.Lag > 0 {
			lag = strconv.FormatUint(s.Lag, 10)
		}
		if address == "" {
			address = "-"
		}
		fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", s.ID, address, s.Role, term, zxid, lag, contact, s.State)
	}
	_ = table.Flush() // a Builder does not fail
	return b.String() + h.Line() + "\n" + h.advice()
}

// Line is the verdict in one line.
func (h *Ensemble) Line() string {
	if !h.Serving() {
		return fmt.Sprintf("%s: %d of %d voters answer", h.Verdict, h.VotersUp, h.Voters)
	}
	line := fmt.Sprintf("%s: %d of %d voters", h.Verdict, h.VotersUp, h.Voters)
	if h.Observers > 0 {
		line += fmt.Sprintf(", %d of %d observers", h.ObserversUp, h.Observers)
	}
	return line
}
