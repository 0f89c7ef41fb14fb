package diff

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A rule says where zkd and ZooKeeper may differ, or where ZooKeeper does not know itself. It either keeps scripts from
// getting there or evens the difference out.
type rule struct {
	name    string
	reason  string
	several bool   // it is about a ZooKeeper that is an ensemble, and holds there only
	doc     string // how the row of docs/compatibility.md begins; "" when ZooKeeper is the one that wavers

	breaks func([]line) bool                    // the script must not be made
	even   func(l line, text []string) []string // evens out what a step printed, on both sides
}

var rules = []rule{
	{name: "wrong-password", doc: "A wrong password does not cut",
		reason: "ZooKeeper closes the session's connection even when the password then turns out wrong",
		breaks: wrongPasswordWhileConnected},
	{name: "internal-opcodes", doc: "deleteContainer (20) and createSession",
		reason: "ZooKeeper carries them out for any client",
		breaks: func(s []line) bool {
			return slices.ContainsFunc(s, func(l line) bool { return l.verb == "raw" && (l.arg(0) == "20" || l.arg(0) == "-10") })
		}},
	{name: "ttl-kills", doc: "createTTL with a mode that has no TTL",
		reason: "ZooKeeper dies of it and does not start again",
		breaks: func(s []line) bool {
			return slices.ContainsFunc(s, func(l line) bool { return ttlKills.MatchString(l.text) && !flags56.MatchString(l.text) })
		}},
	{name: "auth-in-order", doc: "Auth replies and the refusal of unknown requests",
		reason: "ZooKeeper answers auth and sasl packets ahead of pipelined requests, by luck, and what closes the " +
			"connection may take their answers along; an identity counts at once there, here for the requests behind it",
		breaks: func(s []line) bool { return closesInBatch(s) || authBehindOthers(s) }, even: authFirst},
	{name: "quota-in-multi", doc: "A quota counts what earlier operations",
		reason: "ZooKeeper counts neither what a multi nor what requests still in flight have used",
		breaks: quotaInFlight},

	{name: "setacl-in-flight", doc: "A setACL holds from the next request on",
		reason: "ZooKeeper checks permissions against the list from before while a setACL is in flight",
		breaks: func(s []line) bool {
			return batches(s, func(b []line) bool {
				return slices.ContainsFunc(b[:len(b)-1], func(l line) bool { return l.verb == "setacl" || l.verb == "raw" && l.arg(0) == "7" })
			})
		}},
	{name: "text-beyond-ffff", doc: "Text beyond U+FFFF",
		reason: "ZooKeeper writes such characters as two encoded surrogates, which is not UTF-8",
		even: func(_ line, text []string) []string {
			for i := range text {
				text[i] = strings.ReplaceAll(text[i], `\xed\xa0\xbd\xed\xb8\x80`, "\U0001f600")
				text[i] = strings.ReplaceAll(text[i], `\U0001f600`, "\U0001f600") // where something else needs quotes
				text[i] = quotedSmile.ReplaceAllString(text[i], "$1")
			}
			return text
		}},

	{name: "after-close", reason: "ZooKeeper answers a request behind closeSession with SessionExpired or not at all",
		breaks: closeNotLast},
	{name: "container-in-flight", reason: "ZooKeeper takes a container made with an ephemeral mode for an ephemeral until it is applied",
		breaks: func(s []line) bool {
			return slices.ContainsFunc(s, func(l line) bool {
				return (l.held || l.verb == "multi") && ephemeralContainer.MatchString(l.text)
			})
		}},
	{name: "multi-breaks", reason: "a multi that breaks on an ACL or a path of null is not taken back in ZooKeeper's mind as long as it is " +
		"in flight: requests behind it meet changes that were never made",
		breaks: func(s []line) bool {
			return batches(s, func(b []line) bool {
				return slices.ContainsFunc(b[:len(b)-1], func(l line) bool { return breakingMulti.MatchString(l.text) })
			})
		}},
	{name: "bytes-behind-error", reason: "behind the error of a multiRead ZooKeeper sends what it has of a result, at which no client looks",
		even: func(_ line, text []string) []string {
			for i := range text {
				text[i] = behindError.ReplaceAllString(text[i], "$1")
			}
			return text
		}},
	{name: "zxid-size", reason: "zxids are compared with numbers that are not zxids of the same server",
		doc: "Every new leader begins",
		breaks: func(s []line) bool {
			return slices.ContainsFunc(s, func(l line) bool {
				at, _, _ := strings.Cut(l.option("poke"), ":")
				n, _ := strconv.Atoi(at)
				return l.verb == "raw" && (l.arg(0) == "101" || l.arg(0) == "105") ||
					strings.HasPrefix(l.verb, "setwatches") && at != "" && n < 8
			})
		}},
	{name: "ahead-of-a-lone-server", doc: "A client that has seen more than a server that is alone",
		reason: "ZooKeeper turns it away",
		breaks: func(s []line) bool {
			spread := slices.ContainsFunc(s, func(l line) bool { return l.has("at") })
			return !spread && slices.ContainsFunc(s, func(l line) bool { return l.option("zxid") == "big" })
		}},
	{name: "damage-hangs", several: true, reason: "a write that the leader cannot read, or breaks on, is answered by nobody in an " +
		"ensemble of ZooKeeper: its session hangs for ever, and soon the others do",
		breaks: func(s []line) bool {
			return slices.ContainsFunc(s, func(l line) bool { return damaged.MatchString(l.text) })
		}},
	{name: "dropped-late", reason: "ZooKeeper may notice the end of a connection only when another has the session, and then takes that " +
		"one for ended: nobody closes it when a third takes over",
		breaks: func(s []line) bool { return slices.ContainsFunc(s, func(l line) bool { return l.verb == "drop" }) }},
	{name: "two-places", doc: "A session that attaches to another",
		reason: "ZooKeeper lets a connection be whose session is now on another server, until it writes",
		breaks: inTwoPlaces},
	{name: "config-node", reason: "it names the servers, and the test gives both sides addresses of their own",
		breaks: func(s []line) bool {
			spread := slices.ContainsFunc(s, func(l line) bool { return l.has("at") })
			return spread && slices.ContainsFunc(s, func(l line) bool { return strings.Contains(l.text, configNode) })
		}},
	{name: "stats-kill", reason: "ZooKeeper dies for good of a quota's counters that it cannot read",
		breaks: func(s []line) bool {
			return slices.ContainsFunc(s, func(l line) bool {
				return strings.Contains(l.text, "zookeeper_stats") && (strings.Contains(l.text, "set ") || l.has("poke") || l.has("cut"))
			})
		}},
}

// unreachable are the rows of docs/compatibility.md that no script of this test can come to.
var unreachable = map[string]string{
	"TTL nodes are on unless":            "both sides are told to have them",
	"`ruok`, `isro`":                     "four-letter words are not asked",
	"A version that counts past":         "no script is that long",
	"A list of children":                 "no script is that long",
	"Session passwords are":              "transcripts show the length only",
	"The tree takes 32 GiB":              "no script is that long",
	"Long requests and replies wait":     "no script is that long",
	"The time of transactions":           "transcripts show no times, and no clock is set",
	"`envi` has":                         "four-letter words are not asked",
	"Whether a majority of the new":      "reconfig is off, as it is by default",
	"The list of members has":            "the configuration znode is not compared over several servers",
	"A wildcard in another":              "no zoo.cfg has one",
	"The client address of a dynamic":    "no dynamic file names one",
	"Bytes of a request that is still":   "no client here is slow",
	"A reconfig with ids":                "reconfig is off, as it is by default",
	"A reconfig leaves":                  "reconfig is off, as it is by default",
	"When the leader is lost":            "who stays connected asks ZooKeeper's one server, which is not restarted then",
	"A client that has seen a newer":     "all servers have caught up before the next step",
	"A closeSession from":                "a session's next step comes when it has moved",
	"A server that does not know":        "all servers have caught up before the next step",
	"A server without a leader":          "a script goes on when all servers serve",
	"The servers speak":                  "clients do not see it",
	"`sync` is an entry":                 "clients do not see it",
	"A majority of servers":              "all servers begin together",
	"Who is a member":                    "nobody joins or leaves",
	"A server that was removed":          "nobody joins or leaves",
	"`group` and `weight`":               "no zoo.cfg has them",
	"Members whose digests":              "nothing is damaged",
	"`syncLimit` and":                    "a script goes on when all servers serve",
	"An ephemeral in a multi on a local": "local sessions are off, as they are by default",
	"Observers keep":                     "no ensemble here has observers",
}

var (
	ttlKills           = regexp.MustCompile(`\bttl\b.* ttl=-`)
	behindError        = regexp.MustCompile(`(: MarshallingError z\d+( xid=-?\d+)?) and bytes [0-9a-f]+$`)
	quotedSmile        = regexp.MustCompile("\"([^\" ]*\U0001f600[^\" ]*)\"")
	damaged            = regexp.MustCompile(`poke=|cut=| raw |:null\b|acl=null|noend|(create2?|container|ttl|delete|set|check|setacl|sync) null`)
	breakingMulti      = regexp.MustCompile(`multi .*(:null\b|acl=null|poke=|(create2?|container|ttl|delete|set|check) null)`)
	ephemeralContainer = regexp.MustCompile(`\bcontainer [^;]*flags=[13]\b`)

	flags56 = regexp.MustCompile(`ttl [^;]*flags=[56] ttl=-`)
)

// legal reports whether no rule forbids a script, and it can run at all.
func legal(lines []string, on shape) bool {
	var s []line
	for _, text := range lines {
		s = append(s, parse(text))
	}
	return batchesWhole(s) && reachable(s) && !slices.ContainsFunc(rules, func(r rule) bool {
		return r.breaks != nil && (on.real > 1 || !r.several) && r.breaks(s)
	})
}

// batchesWhole reports whether every & is followed by more of its batch or by its flush.
func batchesWhole(s []line) bool {
	for i, l := range s {
		if l.held && (i+1 == len(s) || s[i+1].session != l.session || !s[i+1].held && s[i+1].verb != "flush") {
			return false
		}
	}
	return true
}

// reachable reports whether servers leave and return in turn, and nobody connects to one that is away.
func reachable(s []line) bool {
	away := ""
	for _, l := range s {
		switch {
		case l.verb == "leave" && away == "":
			away = l.arg(0)
		case l.verb == "return" && away != "":
			away = ""
		case l.verb == "leave" || l.verb == "return" || l.verb == "outage" && away != "":
			return false
		case away != "" && l.option("at") == away:
			return false
		}
	}
	return true
}

// wrongPasswordWhileConnected follows which session each name has and who is connected to it.
func wrongPasswordWhileConnected(s []line) bool {
	session := map[string]string{} // name → the name whose session it shares
	connected := map[string]bool{}
	for _, l := range s {
		of := l.option("session")
		switch {
		case l.verb == "drop" || l.verb == "part":
			delete(connected, l.session)
		case l.verb == "connect" && l.has("pw") && of != "":
			for name := range connected {
				if session[name] == session[of] {
					return true
				}
			}
			delete(connected, l.session)
		case l.verb == "connect":
			session[l.session] = l.text // a new one
			if of != "" {
				session[l.session] = session[of]
			}
			connected[l.session] = true
		case !connected[l.session] && session[l.session] == "":
			session[l.session], connected[l.session] = l.session, true
		}
	}
	return false
}

// batches calls do with each pipelined batch.
func batches(s []line, do func([]line) bool) bool {
	var b []line
	for _, l := range s {
		if l.held {
			b = append(b, l)
			continue
		}
		if len(b) > 0 && do(b) {
			return true
		}
		b = nil
	}
	return false
}

// configNode is the path of what ZooKeeper keeps of an ensemble's members.
const configNode = "/zookeeper/config"

// inTwoPlaces reports whether a session goes to another server while it has a connection.
func inTwoPlaces(s []line) bool {
	type connection struct{ session, name, at string }
	var live []connection
	session := map[string]string{} // name → what its session began with
	for _, l := range s {
		at, of := cmp.Or(l.option("at"), "1"), l.option("session")
		cut := func(gone func(connection) bool) { live = slices.DeleteFunc(live, gone) }
		switch {
		case l.verb == "leave":
			cut(func(c connection) bool { return c.at == l.arg(0) })
		case l.verb == "return":
		case l.verb == "outage":
			cut(func(c connection) bool { return c.at == l.arg(0) || !strings.ContainsAny(l.arg(0), "123") })
		case l.verb == "drop" || l.verb == "part" || l.verb == "close" || l.verb == "eof":
			cut(func(c connection) bool { return c.name == l.session })
		case l.verb == "connect" && of != "":
			if slices.ContainsFunc(live, func(c connection) bool { return c.session == session[of] && c.at != at }) {
				return true
			}
			for i, c := range live {
				if c.name == l.session {
					live[i].name = "" // it stays, and nobody can end it
				}
			}
			cut(func(c connection) bool { return c.session == session[of] })
			if session[of] != "" && !l.has("pw") {
				session[l.session] = session[of]
				live = append(live, connection{session[of], l.session, at})
			}
		case l.verb == "connect" || session[l.session] == "":
			for i, c := range live {
				if c.name == l.session {
					live[i].name = ""
				}
			}
			session[l.session] = l.text
			live = append(live, connection{l.text, l.session, at})
		}
	}
	return false
}

var goodAuth = regexp.MustCompile(`auth (digest (\w+:\w+|""|nocolon|:x)|ip x)( |$)`)

func closesInBatch(s []line) bool {
	return batches(s, func(b []line) bool {
		auth := false
		for _, l := range b {
			switch l.verb {
			case "auth":
				auth = true
				if !goodAuth.MatchString(l.text) {
					return true
				}
			case "check", "sasl":
				return true
			case "raw":
				if !slices.Contains(known, l.arg(0)) {
					return true
				}
			}
		}
		// whoAmI tells of the identities at the time of its answer; close of the connection at the end of all.
		// Two replies under one xid cannot be told apart when their order is free.
		return auth && slices.ContainsFunc(b, func(l line) bool {
			return l.has("xid") || l.verb == "whoami" || l.verb == "close" || l.verb == "raw" && l.arg(0) == "107"
		})
	})
}

// known are the opcodes a raw request may have within a batch.
var known = strings.Fields("1 2 3 4 5 6 7 8 9 11 12 14 15 16 17 18 19 21 22 101 103 104 105 106 107")

var authReply = regexp.MustCompile(`^\w: ok 0 xid=`)

// authBehindOthers tells of a batch in which auth comes behind a change, in a script with ACLs: whether the sender may
// read the change's event differs.
func authBehindOthers(s []line) bool {
	return slices.ContainsFunc(s, func(l line) bool { return strings.Contains(l.text, "acl=") }) &&
		batches(s, func(b []line) bool {
			change := slices.IndexFunc(b, func(l line) bool { return writes(l.verb) || l.verb == "setacl" || l.verb == "raw" })
			return change >= 0 && slices.ContainsFunc(b[change:], func(l line) bool { return l.verb == "auth" })
		})
}

// authFirst puts the replies to auth packets of a batch in front of the others. Those alone have zxid 0.
func authFirst(l line, text []string) []string {
	if l.verb != "flush" {
		return text
	}
	var first, rest []string
	for _, t := range text {
		if authReply.MatchString(t) {
			first = append(first, t)
		} else {
			rest = append(rest, t)
		}
	}
	return append(first, rest...)
}

func closeNotLast(s []line) bool {
	return batches(s, func(b []line) bool {
		return slices.ContainsFunc(b[:len(b)-1], func(l line) bool { return l.verb == "close" })
	})
}

// quotaInFlight looks for several changes in one multi or one batch, in a script that has a quota.
func quotaInFlight(s []line) bool {
	if !slices.ContainsFunc(s, func(l line) bool { return strings.Contains(l.text, "zookeeper_limits") }) {
		return false
	}
	if slices.ContainsFunc(s, func(l line) bool { return l.verb == "multi" && strings.Contains(l.text, ";") }) {
		return true
	}
	return batches(s, func(b []line) bool {
		writes := 0
		for _, l := range b {
			switch l.verb {
			case "create", "create2", "container", "ttl", "delete", "set", "multi", "close", "raw":
				writes++
			}
		}
		return writes > 1
	})
}
