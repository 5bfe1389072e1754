// Package packaging holds the tests of what is in deployments: the Helm chart, the compose files, the Dockerfile, the
// Debian package, the release. It is a module of its own, since the libraries that know these formats (Helm, Kubernetes,
// compose, BuildKit, nfpm) are many and must never decide the version of a dependency of the product. "make packaging"
// runs it.
package packaging
