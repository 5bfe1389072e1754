// Package codec turns what trackers publish into fixes: one file per payload format.
//
//	decoder := codec.New(codec.Options{})
//	fixes, err := decoder.Decode(nil, message)
//
// The format is recognised by the topic, then by the payload:
//
//	fleet/{tenant}/{vehicle}/fix       native JSON
//	owntracks/{user}/{device}          OwnTracks JSON; tenant "default", vehicle "user/device"
//
// Each may carry one object or an array of them. An object with a member "_type" is OwnTracks wherever it
// comes from, so that the phone app can also publish to a native topic; an object without one is native.
//
// Members that no format knows are ignored, since trackers send more than a position. What is known has to have
// the right type and a value that can be; otherwise the object is refused, with field and expectation, and the
// other objects of the array go on. The fixes of one message are in device time order, whatever order they came in.
//
// The package never asks the clock: whether a time can be true is judged by [telemetry.Gate].
package codec
