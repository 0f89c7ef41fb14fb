//go:build mutant

package mutant

import "os"

var chosen = Rule(os.Getenv("ZKD_MUTANT"))

// Is tells whether the rule of that name is left out.
func Is(r Rule) bool { return r == chosen }
