package server

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha3"
	"crypto/sha512"
	"encoding/base64"
	"hash"
	"slices"
	"strings"

	"zkd/proto/jute"
	"zkd/znode"
)

// authenticate handles auth and sasl. It answers in the order of the requests,
// where ZooKeeper lets these replies overtake: kazoo takes the next reply for
// that of its oldest request.
func (c *conn) authenticate(xid int32, op jute.Op, body *jute.Reader) bool {
	if !c.drain() {
		return false
	}
	if op == jute.OpSASL {
		if body.Buffer() == nil {
			c.endAfterReplies()
			return false
		}
		// What a ZooKeeper without a SASL provider says: a null token.
		c.out.mu.Lock()
		defer c.out.mu.Unlock()
		start := len(c.out.buf)
		c.out.buf = jute.AppendBuffer(jute.BeginReply(c.out.buf, xid, 0, jute.OK), nil)
		c.out.buf = jute.EndReply(c.out.buf, start)
		return true
	}
	a := jute.DecodeAuth(body)
	if body.Err() != nil {
		c.endAfterReplies()
		return false
	}
	ids, ok := c.prove(a)
	if !ok && a.Scheme == "ensemble" {
		// The client is to try the next server, not to give up.
		c.endAfterReplies()
		return false
	}
	if ok {
		ok = c.addIDs(ids)
	}
	if !ok {
		c.srv.stats.authFailed.Add(1)
		return c.lastReply(xid, 0, jute.ErrAuthFailed)
	}
	return c.reply(xid, 0, jute.OK)
}

// prove returns the identities that the credentials stand for.
func (c *conn) prove(a jute.AuthRequest) (ids []jute.ID, ok bool) {
	cfg := c.srv.cfg
	switch {
	case a.Scheme == "digest" && cfg.DigestAuthEnabled && a.Auth != nil:
		id := digestID(cfg.DigestAlg, a.Auth)
		ids = []jute.ID{{Scheme: "digest", ID: id}}
		if super := cfg.SuperDigest.Reveal(); super != "" && super == id {
			ids = append(ids, jute.ID{Scheme: "super"})
		}
		return ids, true
	case a.Scheme == "ip":
		return nil, true // the connection has had this identity from the start
	case a.Scheme == "ensemble" && cfg.HasAuthProvider("ensemble"):
		ok := len(a.Auth) == 0 || cfg.EnsembleAuthName == "" || string(a.Auth) == cfg.EnsembleAuthName
		return nil, ok
	}
	return nil, false
}

// digestID returns the identity that digest credentials prove: the user name
// and the hash of all of it (DigestAuthenticationProvider.generateDigest).
func digestID(alg string, credentials []byte) string {
	text := jute.JavaText(string(credentials))
	user, _, _ := strings.Cut(text, ":")
	h := digestHashes[alg]()
	h.Write([]byte(text))
	return user + ":" + base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// digestHashes are the hashes that package conf lets pass, by Java's names.
var digestHashes = map[string]func() hash.Hash{
	"MD5": md5.New, "SHA1": sha1.New,
	"SHA-224": sha256.New224, "SHA-256": sha256.New,
	"SHA-384": sha512.New384, "SHA-512": sha512.New,
	"SHA-512/224": sha512.New512_224, "SHA-512/256": sha512.New512_256,
	"SHA3-224": func() hash.Hash { return sha3.New224() }, "SHA3-256": func() hash.Hash { return sha3.New256() },
	"SHA3-384": func() hash.Hash { return sha3.New384() }, "SHA3-512": func() hash.Hash { return sha3.New512() },
}

// addIDs gives the connection more identities. Requests that are read from
// now on carry them.
func (c *conn) addIDs(ids []jute.ID) bool {
	old := c.who.Load()
	who := &znode.Actor{IDs: slices.Clone(old.IDs), SkipACL: old.SkipACL}
	for _, id := range ids {
		if !slices.Contains(who.IDs, id) {
			who.IDs = append(who.IDs, id)
		}
	}
	head := newTxnHead(c.session.ID, c.session.Generation, who.IDs)
	if len(who.IDs) > maxIDs || len(head) > maxHead {
		return false
	}
	c.who.Store(who)
	c.head = head
	return true
}

// lawful tells whether the connection has authenticated as far as the
// configuration demands (AuthenticationHelper).
func (c *conn) lawful() bool {
	schemes := c.srv.cfg.EnforceAuthSchemes
	if len(schemes) == 0 {
		return true
	}
	return slices.ContainsFunc(c.who.Load().IDs, func(id jute.ID) bool { return slices.Contains(schemes, id.Scheme) })
}
