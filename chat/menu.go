package chat

// MenuIn is the persistent menu of a page in one of Facebook's locales.
type MenuIn struct {
	Locale string // "default" is for everybody else
	Taps   []Tap
}

// Menu is what a page's persistent menu offers. It is the same for everybody, so that its buttons are not signed: all of
// them only ask.
func Menu() []MenuIn {
	regions := []struct{ locale, language string }{
		{"default", "en"}, {"de_DE", "de"}, {"es_ES", "es"}, {"es_LA", "es"}, {"pt_BR", "pt_BR"}, {"pt_PT", "pt_BR"}, {"hi_IN", "hi"}, {"vi_VN", "vi"},
	}
	var menus []MenuIn
	for _, r := range regions {
		t := turn{l: locales()[r.language]}
		menus = append(menus, MenuIn{r.locale, []Tap{
			t.tap("b_where", Where, ""), t.tap("b_history", History, ""), t.tap("b_list", List, ""), t.tap("b_alerts", Alerts, ""), t.tap("b_help", Help, ""),
		}})
	}
	return menus
}
