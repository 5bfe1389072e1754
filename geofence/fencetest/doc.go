// Package fencetest holds what tests of geofences are made of: a slow exact [Model] of every shape, random
// drawings, fences and routes, and the player of scenario files ([RunScenarios]). It is not for production.
package fencetest
