package compat

import "zkd/test/script"

// A variant is a way to configure a server. Every line is a zoo.cfg line that ZooKeeper and zkd both read.
type variant struct {
	Name   string
	Config []string
	Props  map[string]string // -D for what ZooKeeper reads from nowhere else
}

// superDigest makes digest super:secret the superuser.
var superDigest = "DigestAuthenticationProvider.superDigest=" + script.DigestID("super:secret")

// everything is the shared server: all of the protocol within reach, sessions of 2 to 20 seconds.
var everything = variant{
	Config: []string{"tickTime=1000", "maxClientCnxns=0", "4lw.commands.whitelist=*", "extendedTypesEnabled=true",
		"enforceQuota=true", superDigest},
	Props: map[string]string{"znode.container.checkIntervalMs": "100"},
}

// variants are the servers that cases with Case.Server get. Their cases run one after another, in table order.
var variants = []variant{
	// empty has no node but ZooKeeper's own and no switch turned on; the case must not expect a root.
	{Name: "empty", Config: []string{"tickTime=1000", "extendedTypesEnabled=false", "4lw.commands.whitelist="}},
	{Name: "few", Config: []string{"tickTime=1000", "maxClientCnxns=3", "skipACL=yes", "4lw.commands.whitelist=ruok, isro"}},
	{Name: "enforced", Config: []string{"tickTime=1000", "enforce.auth.enabled=true", "enforce.auth.schemes=digest"}},
	{Name: "restart", Config: []string{"tickTime=1000", "maxClientCnxns=0", "extendedTypesEnabled=true",
		"4lw.commands.whitelist=*"}},
}

func variantByName(name string) (variant, bool) {
	for _, v := range variants {
		if v.Name == name {
			return v, true
		}
	}
	return variant{}, false
}
