//go:build !mutant

// Package mutant names the rule that a build with the tag "mutant" leaves out,
// so that the power failure test can show that it notices. In all other builds
// the name is constant and empty, and nothing of this is left.
package mutant

// Is tells whether the rule of that name is left out.
func Is(Rule) bool { return false }
