package app

import (
	"context"
	"time"

	"outrider/chat"
	"outrider/identity"
	"outrider/identity/facebook"
	"outrider/internal/config"
	"outrider/notify"
)

// prepareLogin makes the way of owners and pages to Facebook.
func (a *App) prepareLogin() error {
	c := a.o.Config
	var err error
	a.login, err = facebook.NewFlow(facebook.Options{
		Graph: a.meta, Directory: a.directory, Store: a.store, Sealer: a.sealer, Now: a.o.Now,
		AppID: c.Facebook.AppID, AppSecret: c.Facebook.AppSecret, PublicURL: a.publicURL, Version: c.Graph.Version,
		DialogURL: c.Facebook.DialogURL, LinkURL: c.Facebook.LinkURL, ConfigID: c.Facebook.ConfigID, LoginConnect: c.Facebook.LoginConnect,
		Reload: func(ctx context.Context) error { return a.identitiesHere(ctx) }, PageChanged: a.pageChanged, Linked: a.wake,
		Logger: a.logger.With("part", "login"), Registerer: a.registry,
	})
	return err
}

// preparePages makes what looks after tokens and subscriptions.
func (a *App) preparePages() error {
	c := a.o.Config
	var err error
	a.pages, err = facebook.NewKeeper(facebook.KeeperOptions{
		Graph: a.meta, Directory: a.directory, Store: a.store, Now: a.o.Now, AppID: c.Facebook.AppID, AppSecret: c.Facebook.AppSecret,
		Reload: func(ctx context.Context) error { return a.identitiesHere(ctx) }, PageChanged: a.tokenRenewed, Mine: a.mine, Menu: menu(c.Chat),
		Logger: a.logger.With("part", "pages"), Registerer: a.registry,
	})
	return err
}

// menu is what pages offer under their conversations; nil when nobody would answer.
func menu(c config.Chat) facebook.Menu {
	if c.Mode == chatOff {
		return nil
	}
	var all facebook.Menu
	for _, in := range chat.Menu() {
		m := facebook.MenuIn{Locale: in.Locale}
		for _, tap := range in.Taps {
			m.Items = append(m.Items, facebook.MenuItem{Type: "postback", Title: tap.Title, Payload: tap.Payload})
		}
		all = append(all, m)
	}
	return all
}

// tokenRenewed lets a page go on whose token the keeper renewed: the keeper itself need not look again.
func (a *App) tokenRenewed(page identity.PageID) {
	a.keeper.Ensure(page)
	a.dispatcher.PageChanged(page)
}

// optInWithin is how long opening a conversation may take.
const optInWithin = 30 * time.Second

// optedIn opens the conversation with somebody who agreed to it while logging in. A crash loses it: the person still
// has the link to Messenger before them.
func (a *App) optedIn(ctx context.Context, o identity.OptIn) {
	ctx, cancel := context.WithTimeout(ctx, optInWithin)
	defer cancel()
	if err := a.login.OptedIn(ctx, o); err != nil {
		a.logger.Warn("conversation not opened after a login", "page", o.Page, "cause", err)
	}
}

// received acts on what webhooks changed in the store.
func (a *App) received(r notify.Received) {
	pages := r.Pages
	for _, l := range r.Linked {
		pages = append(pages, l.Page)
	}
	if len(pages) > 0 {
		a.refresher.ask(pages...)
	}
	for _, o := range r.Logins {
		a.refresher.also(func(ctx context.Context) { a.optedIn(ctx, o) })
	}
	if r.Said == 0 {
		return
	}
	a.ring(rungSaid)
	if reader := a.reader.Load(); reader != nil {
		reader.Wake()
	}
}

// startReading brings what people said to whoever wants to hear it.
func (a *App) startReading(ctx context.Context) error {
	if a.listener == nil {
		return nil
	}
	reader, err := notify.NewReader(notify.ReaderOptions{
		Mine: a.mine, Tick: a.pollEvery(), Talk: a.store, Listener: a.listener, Now: a.o.Now, Logger: a.logger.With("part", "reader"), Registerer: a.registry,
	})
	if err != nil {
		return err
	}
	if err := reader.Start(ctx); err != nil {
		return err
	}
	a.onStop("reader", reader.Stop)
	a.reader.Store(reader)
	return nil
}
