package znode

import "strings"

// ValidPath tells whether a znode may have that path (PathUtils.validatePath).
func ValidPath(path string) bool {
	if path == "" || path[0] != '/' {
		return false
	}
	if path == "/" {
		return true
	}
	for rest := path[1:]; ; {
		name, more, found := strings.Cut(rest, "/")
		if !validName(name) {
			return false
		}
		if !found {
			return true
		}
		rest = more
	}
}

func validName(name string) bool {
	if name == "" || name == "." || name == ".." {
		return false
	}
	for i := 0; i < len(name); i++ {
		if c := name[i]; c < ' ' || c >= 0x7f {
			return validRunes(name)
		}
	}
	return true
}

// validRunes judges text beyond plain ASCII by the UTF-16 units that Java
// would see. Ranging over malformed UTF-8 gives U+FFFD, which is refused.
func validRunes(name string) bool {
	for _, c := range name {
		switch {
		case c <= 0x1f, c >= 0x7f && c <= 0x9f, // control characters
			c >= 0xd800 && c <= 0xf8ff, // surrogates, private use
			c >= 0xfff0:                // specials; above U+FFFF Java sees surrogates
			return false
		}
	}
	return true
}

// splitParent cuts path at its last slash: the parent of /x is "", which is
// another name of the root. ok is false for what
// PrepRequestProcessor.getParentPathAndValidate refuses at once: no slash, or
// a NUL.
func splitParent(path string) (parent, name string, ok bool) {
	i := strings.LastIndexByte(path, '/')
	if i < 0 || strings.IndexByte(path, 0) >= 0 {
		return "", "", false
	}
	return path[:i], path[i+1:], true
}

// The znodes that every tree has and that cannot be deleted.
const (
	zookeeperPath = "/zookeeper"
	quotaPath     = "/zookeeper/quota"
	configPath    = "/zookeeper/config"
)

func isSystemPath(path string) bool {
	return path == "/" || path == zookeeperPath || path == quotaPath || path == configPath
}
