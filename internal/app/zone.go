package app

import _ "time/tzdata" // owners' time zones must be known on machines that ship none
