// Package browsertest opens pages in a real headless Chromium for tests. Tests are skipped, with the package to
// install, where there is none. What a page writes to its console as an error, an exception it throws, or a
// request it makes to another machine fails the test.
package browsertest
