package conf

import (
	"maps"
	"slices"
	"strings"
)

// knownWords are the four-letter words of ZooKeeper 3.8 to 3.10.
var knownWords = []string{
	"conf", "cons", "crst", "dirs", "dump", "envi", "gtmk", "hash", "isro", "mntr",
	"ruok", "srst", "srvr", "stat", "stmk", "wchc", "wchp", "wchs",
}

// defaultWords are answered when the whitelist key is absent. They change
// nothing and list no client's data; health checks rely on them.
var defaultWords = []string{"srvr", "ruok", "isro", "mntr", "stat"}

// FourLetterWords tells which four-letter words the server answers. The zero
// value allows none.
type FourLetterWords struct {
	all   bool
	words map[string]bool
}

func newFourLetterWords(words []string) FourLetterWords {
	f := FourLetterWords{words: make(map[string]bool)}
	for _, w := range words {
		if w == "*" {
			f.all = true
			continue
		}
		f.words[w] = true
	}
	return f
}

// Allowed tells whether word may be answered; case matters.
func (f FourLetterWords) Allowed(word string) bool { return f.all || f.words[word] }

// Words lists what is allowed, sorted; "*" alone means all.
func (f FourLetterWords) Words() []string {
	if f.all {
		return []string{"*"}
	}
	return slices.Sorted(maps.Keys(f.words))
}

// String implements fmt.Stringer.
func (f FourLetterWords) String() string { return strings.Join(f.Words(), ",") }

// setFourLetterWords decides the whitelist. It runs after all keys are read,
// since read-only mode adds isro.
func (l *loader) setFourLetterWords() {
	s := l.get("4lw.commands.whitelist")
	if s == nil {
		l.cfg.FourLetterWords = newFourLetterWords(defaultWords)
		return
	}
	named := splitList(s.text)
	for _, w := range named {
		if w != "*" && !slices.Contains(knownWords, w) {
			l.warn(s.at, "4lw.commands.whitelist names %s, which is no four-letter word of ZooKeeper", s.part(w))
		}
	}
	// The start script needs srvr, so it stays on whatever the list says.
	named = append(named, "srvr")
	if l.cfg.ReadOnlyMode {
		named = append(named, "isro")
	}
	l.cfg.FourLetterWords = newFourLetterWords(named)
}
