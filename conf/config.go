// Package conf turns a zoo.cfg, its dynamic file, myid and -D properties into a
// Config that the server can use without looking at text again.
//
// It reads files and nothing else: no host is resolved, no directory created,
// no goroutine started. Every key that ZooKeeper knows is known here, with what
// zkd makes of it (see Keys). ZooKeeper ignores most mistakes; Load reports them
// all at once, each with file, line, key, value and what is allowed.
//
// cmd/zkd calls Default, Load and LoadArgs; server receives the Config.
package conf

import "time"

// Config is a checked configuration. The fields are plain data: nothing in them
// is shared with the package, and a test may set them directly.
type Config struct {
	File string // path of the zoo.cfg, "" for the built-in default
	Text Secret // the file as it was read, for the admin command icfg

	TickTime   time.Duration // unit of the session bounds, and of InitLimit and SyncLimit
	DataDir    string        // snapshots and myid
	DataLogDir string        // raft log; empty: DataDir
	AutoCreate bool          // create missing data directories
	StartEmpty bool          // also beside the data of a ZooKeeper server
	LogStore   string        // "wal" or "bolt"
	Snapshots  SnapshotFiles // what concerns files in ZooKeeper's own formats

	// ClientAddr and SecureClientAddr are "host:port" for net.Listen; an
	// empty host is the wildcard of IPv4 and IPv6, as in ZooKeeper. An empty
	// address means no such listener.
	ClientAddr              string
	SecureClientAddr        string
	ClientPortListenBacklog int  // -1: the system's
	MaxClientCnxns          int  // connections per client address, 0: no limit
	MaxCnxns                int  // client connections in all, 0: no limit
	ClientTCPKeepAlive      bool // SO_KEEPALIVE on client connections
	SessionlessCnxnTimeout  time.Duration

	// MinSessionTimeout <= MaxSessionTimeout, both at least one millisecond;
	// 0: 2 and 20 ticks.
	MinSessionTimeout, MaxSessionTimeout time.Duration

	SnapCount             int   // entries between snapshots, at least 2
	SnapSizeLimit         int64 // log bytes between snapshots, <= 0: off
	SnapRetainCount       int   // snapshots kept, at least 3
	FsyncWarningThreshold time.Duration
	UnsafeNoSync          bool // fsync is off because the operator said so twice
	PurgeInterval         time.Duration
	ScrubInterval         time.Duration // 0: memory is never checked

	JuteMaxBuffer          int // largest request in bytes
	JuteMaxBufferExtraSize int // slack for records found by the importer; 0: as large

	GlobalOutstandingLimit     int
	RequestThrottleMaxRequests int           // 0: off
	ThrottledOpWaitTime        time.Duration // 0: off
	LargeRequestMaxBytes       int64
	LargeRequestThreshold      int64 // -1: off
	ConnectionThrottleTokens   int   // 0: off
	// ConnectionThrottleFillCount tokens return every ConnectionThrottleFillTime
	// milliseconds.
	ConnectionThrottleFillTime, ConnectionThrottleFillCount int
	OutstandingHandshakeLimit                               int // -1: off

	ExtendedTypesEnabled   bool // TTL nodes
	ContainerCheckInterval time.Duration
	ContainerMaxPerMinute  int
	ContainerMaxNeverUsed  time.Duration // 0: a container that never had a child stays
	EnforceQuota           bool
	SkipACL                bool // no permission checks at all

	DigestAuthEnabled  bool
	DigestAlg          string   // canonical Java name: SHA1, SHA-256, …
	SuperDigest        Secret   // "super:<base64>"
	AuthProviders      []string // enabled schemes, sorted: always ip, mostly digest
	EnforceAuthSchemes []string // schemes of which a session must have one; nil: off
	EnsembleAuthName   string
	SuperUsers         []string // ids treated as super, from superUser and superUser.*
	X509SuperUser      string
	UseXForwardedFor   bool
	SASL               SASL

	SecureClient      TLS
	Quorum            TLS
	SSLQuorum         bool // TLS on both peer ports
	PortUnification   bool // peers accept plain and TLS
	ClientPortUnified bool // plain clients are welcome on the TLS port
	QuorumListenOnAll bool
	// Unplaced is the place, as "zoo.cfg:5", of this server's own line if that
	// says where to listen and not where it is: its addresses for the others are
	// what their files say. It is empty otherwise.
	Unplaced          string
	QuorumSecret      Secret // shared by the servers of an ensemble, not set without one
	TCPKeepAlive      bool   // SO_KEEPALIVE between servers
	PeerDialTimeout   time.Duration
	PeerBindRetries   int // 0: without end
	InitLimit         int // ticks to join and catch up
	SyncLimit         int // ticks without leader contact before serving stops
	StandaloneEnabled bool
	ReconfigEnabled   bool
	LeaderServes      bool
	ReadOnlyMode      bool
	ServerID          int64
	NewMyID           bool     // ServerID is to be written into the file myid
	Servers           []Server // by id; empty when the file lists none
	// MembershipByFile lets the zoo.cfg files of most voters decide who is a
	// member.
	MembershipByFile  bool
	DynamicConfigFile string
	DynamicVersion    int64 // from the dynamic file's version line, or else its name
	FourLetterWords   FourLetterWords
	Admin             Admin
	Metrics           Metrics
	AuditEnabled      bool
	LocalSessions     bool
	// LocalSessionsUpgrading makes a local session global at its first ephemeral.
	LocalSessionsUpgrading bool
}

// HasAuthProvider tells whether an authentication scheme is enabled.
func (c *Config) HasAuthProvider(scheme string) bool {
	for _, s := range c.AuthProviders {
		if s == scheme {
			return true
		}
	}
	return false
}

// Self returns this server's line in Servers, nil when there is none.
func (c *Config) Self() *Server { return c.server(c.ServerID) }

// SnapshotFiles holds the keys about files in ZooKeeper's formats: zkd writes
// them on export and reads them on import, never while it runs.
type SnapshotFiles struct {
	Compression       string // "", "gz" or "snappy"
	TrustEmpty        bool   // import logs without any snapshot
	LastProcessedZxid bool   // write the extra section
	Digest            bool   // write digests
	Emulate353TTL     bool   // read TTL nodes as 3.5.3 wrote them
}

// SASL holds what a SASL layer needs.
type SASL struct {
	Section             string // section of the JAAS file
	LoginConfig         string // path of the JAAS file
	SuperPassword       Secret
	LetAnyUserDo        string
	AllowFailedClients  bool
	RequireClientAuth   bool // sessions without SASL are refused
	AuthToLocal         string
	RemoveHost          bool // from a Kerberos principal
	RemoveRealm         bool
	CanonicalizeHosts   bool
	RequireKerberosFile bool
}

// TLS holds one family of ssl keys: clients (ssl.*) or peers (ssl.quorum.*).
type TLS struct {
	KeyStore, TrustStore       Store
	Protocol                   string
	EnabledProtocols           []string // nil: Protocol and newer
	CipherSuites               []string // nil: the built-in list
	ClientAuth                 string   // "none", "want" or "need"
	HostnameVerification       bool
	ClientHostnameVerification bool
	HandshakeDetectionTimeout  time.Duration
	AuthProvider               string
}

// Store is a key or trust store.
type Store struct {
	Location     string
	Type         string // "PEM", "PKCS12" or "JKS"; "" when Location is
	Password     Secret
	PasswordPath string // wins over Password
}

// Admin holds the admin HTTP server's keys.
type Admin struct {
	Enabled             bool
	Addr                string // "host:port" for net.Listen
	CommandURL          string
	IdleTimeout         time.Duration
	PortUnification     bool
	ForceHTTPS          bool
	NeedClientAuth      bool
	Snapshot, Restore   bool
	RateLimiterInterval time.Duration
}

// Metrics holds the Prometheus endpoint's keys.
type Metrics struct {
	Provider            string // "default", "null" or "prometheus"
	HTTPHost            string
	HTTPPort, HTTPSPort int // -1: off
	ExportProcess       bool
	SummaryRotate       time.Duration
}
