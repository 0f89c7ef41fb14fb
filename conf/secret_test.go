package conf

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestSecretNeverPrints(t *testing.T) {
	const text = "super:hunter2"
	s := NewSecret(text)
	if s.Reveal() != text || !s.IsSet() {
		t.Fatalf("Reveal() = %q, IsSet() = %v", s.Reveal(), s.IsSet())
	}
	if none := (Secret{}); none.Reveal() != "" || none.IsSet() {
		t.Fatal("the zero Secret has a text")
	}
	type outer struct {
		Shown  Secret
		hidden Secret
	}
	holders := []any{s, &s, []Secret{s}, map[string]Secret{"k": s}, outer{s, s}, &outer{s, s}, struct{ in any }{s}}
	var printed strings.Builder
	for _, h := range holders {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%p", "%t", "%10.3s"} {
			fmt.Fprintf(&printed, verb+"\n", h)
		}
		data, err := json.Marshal(h)
		if err != nil {
			t.Fatal(err)
		}
		printed.Write(data)
	}
	data, err := xml.Marshal(outer{Shown: s})
	if err != nil {
		t.Fatal(err)
	}
	printed.Write(data)
	var log bytes.Buffer
	for _, h := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
		slog.New(h).Info("x", "secret", s, "holder", outer{s, s})
	}
	all := printed.String() + log.String()
	for _, leak := range []string{"hunter2", fmt.Sprintf("%x", "hunter2"), fmt.Sprintf("%X", "hunter2")} {
		if strings.Contains(all, leak) {
			t.Errorf("the secret shows as %q in:\n%s", leak, all)
		}
	}
	if fmt.Sprint(s) != "<redacted>" || fmt.Sprintf("%#v", s) != "<redacted>" {
		t.Errorf("prints as %v and %#v", s, s)
	}
	if data, _ := json.Marshal(s); string(data) != `"<redacted>"` && string(data) != `"\u003credacted\u003e"` {
		t.Errorf("marshals as %s", data)
	}
}

// A secret must stay out of reports and errors wherever a mistake puts it.
func TestNoSecretInReports(t *testing.T) {
	const leak = "hUnTeR2"
	files := []string{
		"DigestAuthenticationProvider.superDigest=super:" + leak,
		"DigestAuthenticationProvider.superDigest=super:" + leak + " # comment",
		"DigestAuthenticationProvider.superDigest=super:a\nDigestAuthenticationProvider.superDigest=super:" + leak,
		"DigestAuthenticationProvider.superDigst=super:" + leak,
		"digestauthenticationprovider.superdigest=super:" + leak,
		"DigestAuthenticationProvider.superDigest\\=super:" + leak,
		"DigestAuthenticationProvider.superDigest=super:" + leak + "\\u12",
		"SASLAuthenticationProvider.superPassword=" + leak,
		"ssl.keyStore.password=" + leak,
		"ssl.quorum.trustStore.password=" + leak,
		"metricsProvider.ssl.keyStore.password=" + leak,
		"some.password=" + leak,
	}
	for _, before := range []string{
		"snapCount=5", "4lw.commands.whitelist=stat", "dataLogDir=/x", "server.1=a:1:2", "server.1=a:1:2:participant", "server.1=a:1:2;3",
		"group.1=1", "weight.1=1", "enforce.auth.enabled=true\nenforce.auth.schemes=ip", "peerType=observer", "clientPortAddress=a",
		"ssl.ciphersuites=x", "authProvider.1=x", "dynamicConfigFile=x", "unknown", "standaloneEnabled=true", "electionAlg=1", "dataDir=/y",
		"ssl.keyStore.location=x", "autopurge.purgeInterval=24h", "oraclePath=o",
	} {
		files = append(files, before+"\\\nssl.keyStore.password=a,b:"+leak+";"+leak+","+leak+"|"+leak,
			before+"\\\nDigestAuthenticationProvider.superDigest=super:"+leak)
	}
	for _, text := range files {
		for _, base := range []string{"", "dataDir=/d\nclientPort=2181\n"} {
			l := testLoader(notYet, map[string]string{"zoo.cfg": base + text})
			l.addFile("zoo.cfg")
			l.addProperties([]Property{
				{Key: "zookeeper.DigestAuthenticationProvider.superDigest", Value: leak}, {Key: "javax.net.ssl.keyStorePassword", Value: leak},
				{Key: "zookeeper.superDigest", Value: leak}, ParseProperty("-Dfoo:"+leak, "x"),
			})
			cfg, report, err := l.finish()
			var log bytes.Buffer
			report.Log(slog.New(slog.NewTextHandler(&log, nil)))
			all := fmt.Sprintf("%+v\n%s\n%+v\n%v\n%s", cfg, report, report, err, log.String())
			if strings.Contains(all, leak) {
				t.Errorf("%q leaks:\n%s", base+text, all)
			}
		}
	}
}
