package simulator_test

import (
	"fmt"
	"time"

	"outrider/simulator"
)

// A fleet's truth is a function of its seed: the first crossings of two vehicles.
func ExampleFleet_Truth() {
	fleet := simulator.NewFleet(simulator.NewCity(1), simulator.FleetOptions{
		Vehicles: 2, Seed: 1, Start: time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC),
	})
	for _, c := range fleet.Truth(fleet.Start().Add(5 * time.Minute)) {
		fmt.Println(c.Time.Format(time.TimeOnly), c.Vehicle, c.Kind, c.Fence)
	}
	// Output:
	// 09:00:31 van-001 enter school
	// 09:00:59 van-002 enter school
	// 09:01:13 van-001 exit school
	// 09:01:30 van-002 exit school
	// 09:02:18 van-001 enter stadium
}

// What was told is compared with what happened.
func ExampleMatch() {
	at := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	truth := []simulator.Crossing{
		{Vehicle: "van-001", Fence: "depot", Kind: simulator.Exit, Time: at},
		{Vehicle: "van-001", Fence: "school", Kind: simulator.Enter, Time: at.Add(time.Minute)},
	}
	told := []simulator.Observed{
		{Vehicle: "van-001", Fence: "depot", Kind: simulator.Exit, Time: at.Add(400 * time.Millisecond)},
	}
	fmt.Println(simulator.Match(truth, told, 5*time.Second))
	// Output:
	// 1 of 2 crossings told, 1 missing, 0 doubled, 0 false
	//   missing van-001 enter school at 09:01:00.000
}
