package packaging_test

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// released is a directory with everything that is released for this machine's architecture, made once for all tests.
var released = sync.OnceValues(func() (string, error) {
	dir, err := scratchDir()
	if err != nil {
		return "", err
	}
	cmd := exec.Command("internal/tools/package.sh", "v1.2.3-rc1", dir, runtime.GOARCH)
	cmd.Dir, cmd.Stderr = root, os.Stderr
	cmd.Env = append(os.Environ(), "SOURCE_DATE_EPOCH=1700000000")
	return dir, cmd.Run()
})

// debian is the Debian package. Where there is no dpkg the test is skipped.
func debian(t *testing.T) string {
	t.Helper()
	if _, err := exec.LookPath("dpkg-deb"); err != nil {
		t.Skipf("dpkg is not installed: %v", err)
	}
	dir, err := released()
	must(t, err)
	return filepath.Join(dir, "outrider_1.2.3~rc1_"+runtime.GOARCH+".deb")
}

// output runs a program that must end well.
func output(t *testing.T, env []string, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// unpacked is the package's files in a directory.
func unpacked(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	output(t, nil, "dpkg-deb", "-x", debian(t), dir)
	return dir
}

func TestTheDebianPackageSaysWhatItIs(t *testing.T) {
	t.Parallel()
	fields := output(t, nil, "dpkg-deb", "--field", debian(t))
	for _, want := range []string{"Package: outrider\n", "Version: 1.2.3~rc1\n", "Architecture: " + runtime.GOARCH + "\n", "Depends: ca-certificates\n", "Description: telematics alert gateway\n"} {
		if !strings.Contains(fields, want) {
			t.Errorf("there is no %q in\n%s", want, fields)
		}
	}
	contents := output(t, nil, "dpkg-deb", "--contents", debian(t))
	for _, want := range []string{
		`-rwxr-xr-x root/root .* \./usr/bin/gateway\n`, `-rw-r--r-- root/root .* \./etc/outrider/gateway.yaml\n`, `drwx------ root/root .* \./etc/outrider/secrets/\n`,
		`\./usr/share/man/man1/gateway-serve\.1\.gz\n`, `\./usr/share/man/man5/gateway\.yaml\.5\.gz\n`, `2023-11-14 \d\d:\d\d \./usr/lib/systemd/system/outrider.service\n`,
	} {
		if !regexp.MustCompile(want).MatchString(contents) {
			t.Errorf("there is no %s in\n%s", want, contents)
		}
	}
}

func TestThePackagedProgramRuns(t *testing.T) {
	t.Parallel()
	dir := unpacked(t)
	program := filepath.Join(dir, "usr/bin/gateway")
	if got := output(t, nil, program, "version"); got != "outrider v1.2.3-rc1\n" {
		t.Errorf("it says that it is %q", got)
	}
	settings := filepath.Join(dir, "etc/outrider/gateway.yaml")
	cmd := exec.CommandContext(t.Context(), program, "check", "--config", settings, "--data.dir="+t.TempDir(), "--http.listen=127.0.0.1:0", "--mqtt.listen=127.0.0.1:0")
	out, _ := cmd.CombinedOutput() // Meta is not there
	if !strings.Contains(string(out), "ok    settings") {
		t.Errorf("its settings are not accepted:\n%s", out)
	}
	for script, shell := range map[string]string{"bash-completion/completions/gateway": "bash", "zsh/vendor-completions/_gateway": "zsh", "fish/vendor_completions.d/gateway.fish": "fish"} {
		text, err := os.ReadFile(filepath.Join(dir, "usr/share", script))
		must(t, err)
		if want := output(t, nil, program, "completion", shell); string(text) != want {
			t.Errorf("%s is not what the program prints", script)
		}
	}
}

// The unit is accepted where it lies, its program and its manual page are found, and it gives away little.
func TestSystemdAcceptsThePackagedUnit(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skipf("systemd is not installed: %v", err)
	}
	dir := unpacked(t)
	unit := filepath.Join(dir, "usr/lib/systemd/system/outrider.service")
	text, err := os.ReadFile(unit)
	must(t, err)
	if !bytes.Contains(text, []byte("ExecStart=/usr/bin/gateway serve --config /etc/outrider/gateway.yaml\n")) {
		t.Errorf("the unit starts something else:\n%s", text)
	}
	must(t, os.WriteFile(unit, bytes.ReplaceAll(text, []byte("/usr/bin/"), []byte(dir+"/usr/bin/")), 0o600))
	dropIn := unit + ".d/secrets.conf"
	must(t, os.MkdirAll(filepath.Dir(dropIn), 0o700))
	example, err := os.ReadFile(filepath.Join(dir, "usr/share/doc/outrider/examples/secrets.conf"))
	must(t, err)
	must(t, os.WriteFile(dropIn, example, 0o600))
	pages := []string{"MANPATH=" + filepath.Join(dir, "usr/share/man")}
	args := []string{"verify", unit}
	if _, err := exec.LookPath("man"); err != nil {
		args = []string{"verify", "--man=no", unit}
	}
	if out := output(t, pages, "systemd-analyze", args...); strings.Contains(out, "outrider") {
		t.Error(out)
	}
	security := output(t, nil, "systemd-analyze", "security", "--offline=yes", "--no-pager", unit)
	m := regexp.MustCompile(`exposure level for outrider.service: ([0-9.]+)`).FindStringSubmatch(security)
	if m == nil {
		t.Fatal(security)
	}
	if exposure, err := strconv.ParseFloat(m[1], 64); err != nil || exposure > 1.5 {
		t.Errorf("exposure %v of 10:\n%s", exposure, security)
	}
}

// dpkg itself installs, upgrades, removes and purges the package, in a directory that stands for the machine.
func TestDpkgInstallsAndRemovesThePackage(t *testing.T) {
	t.Parallel()
	deb := debian(t)
	if os.Getuid() != 0 {
		t.Skip("dpkg wants to be root")
	}
	dir := t.TempDir()
	must(t, os.MkdirAll(filepath.Join(dir, "var/lib/dpkg/info"), 0o755))
	must(t, os.MkdirAll(filepath.Join(dir, "var/lib/dpkg/updates"), 0o755))
	must(t, os.WriteFile(filepath.Join(dir, "var/lib/dpkg/status"), nil, 0o644))
	dpkg := func(args ...string) {
		t.Helper()
		output(t, nil, "dpkg", append([]string{"--root=" + dir, "--force-depends", "--force-script-chrootless", "--force-confold"}, args...)...)
	}
	at := func(path string) string {
		b, err := os.ReadFile(filepath.Join(dir, path))
		if err != nil {
			return ""
		}
		return string(b)
	}
	dpkg("--install", deb)
	if got := output(t, nil, filepath.Join(dir, "usr/bin/gateway"), "version"); got != "outrider v1.2.3-rc1\n" {
		t.Errorf("installed is %q", got)
	}
	const settings = "etc/outrider/gateway.yaml"
	const changed = "log.level: debug # by an administrator\n"
	must(t, os.WriteFile(filepath.Join(dir, settings), []byte(changed), 0o644))
	must(t, os.WriteFile(filepath.Join(dir, "etc/outrider/secrets/app_secret"), []byte("s"), 0o600))
	dpkg("--install", deb)
	dpkg("--remove", "outrider")
	if at("usr/bin/gateway") != "" || at(settings) != changed {
		t.Errorf("after removing, the settings are %q", at(settings))
	}
	dpkg("--purge", "outrider")
	if at(settings) != "" || at("etc/outrider/secrets/app_secret") != "s" {
		t.Error("purging took what is not the package's, or left what is")
	}
}

// Somebody else who builds the same source elsewhere gets the same program, bit by bit.
func TestTheProgramIsReproducible(t *testing.T) {
	t.Parallel()
	released := filepath.Join(unpacked(t), "usr/bin/gateway")
	elsewhere := filepath.Join(t.TempDir(), "some", "other", "place")
	copySource(t, elsewhere)
	cmd := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-buildvcs=false", "-tags=timetzdata",
		"-ldflags=-s -w -buildid= -X main.version=v1.2.3-rc1", "-o", "gateway", "./cmd/gateway")
	cmd.Dir, cmd.Env = elsewhere, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	a, err := os.ReadFile(released)
	must(t, err)
	b, err := os.ReadFile(filepath.Join(elsewhere, "gateway"))
	must(t, err)
	if !bytes.Equal(a, b) {
		t.Errorf("%d bytes there, %d here, and not the same", len(b), len(a))
	}
}

// copySource copies what the program is built from.
func copySource(t *testing.T, to string) {
	t.Helper()
	must(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		switch {
		case d.IsDir() && (d.Name() == "node_modules" || d.Name() == ".git" || d.Name() == "bin"):
			return filepath.SkipDir
		case d.IsDir():
			return os.MkdirAll(filepath.Join(to, rel), 0o755)
		case !d.Type().IsRegular():
			return nil
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), b, 0o644)
	}))
}
