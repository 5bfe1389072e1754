// Package natstest runs nats-server in the process of a test: one server or a cluster of three, with file stores, on loopback.
package natstest
