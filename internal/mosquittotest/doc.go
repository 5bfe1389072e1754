// Package mosquittotest runs Eclipse mosquitto for tests: a real broker on a free port of 127.0.0.1, and its
// command-line clients. Tests that need what is not installed are skipped, with the package to install.
package mosquittotest
