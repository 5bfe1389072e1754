// Package codec turns what trackers publish into fixes: one file per payload format.
//
//	decoder := codec.New(codec.Options{})
//	fixes, err := decoder.Decode(nil, message)
//
// Which format a message has, and which vehicle it is from, is decided in this order; the first that says it counts:
//
//  1. the rules of [Options], and then the topics of the user's mappings;
//  2. the topics of this gateway: fleet/{tenant}/{vehicle}/fix is native JSON, fleet/{tenant}/{vehicle}/{codec} is
//     what it says, with auto for a look at the payload, and owntracks/{user}/{device} is OwnTracks;
//  3. the topics under which other worlds publish by themselves, such as jt808/{client}/{phone}/up;
//  4. the payload: NMEA, Queclink, queries and protobuf by what they begin with, JSON by members that only one format has. What looks like
//     two formats, or like none, is refused and not guessed. The vehicle then has to be named in the payload.
//
// The id in a topic counts more than one in the payload. On native and OwnTracks topics, an object with a member
// "_type" is OwnTracks wherever it comes from, so that the phone app can also publish to a native topic; an object
// without one is native.
//
// Formats that no code is needed for are mappings: see [ParseMappings], and [Presets] for those that come with the
// gateway. Worlds that publish each value under a topic of its own need a [Joiner] around the decoder.
//
// Members that no format knows are ignored, since trackers send more than a position. What is known has to have
// the right type and a value that can be; otherwise the object is refused, with field and expectation, and the
// other objects of the array go on. What a tracker itself calls no position (0,0, an invalid flag, no satellites, null)
// is refused as such. The fixes of one message are in device time order, whatever order they came in.
//
// The package never asks the clock: whether a time can be true is judged by [telemetry.Gate]. Where a format has no
// time, the arrival that the message tells counts, except in kept (retained) copies, whose age nobody knows.
package codec
