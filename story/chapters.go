package story

// The models, as their providers name them.
const (
	opus   = "claude-opus-4-6-20260205"
	sonnet = "claude-sonnet-4-5-20250929"
	gpt    = "gpt-5.3-codex"
	pro    = "gemini-3-pro"
)

func before(s *stage) {
	s.at("2026-08-31 09:00")
	s.begin()
}

func asked(s *stage) {
	s.at("2026-09-01 08:00")
	s.jira(1, "PAY-1", "Epic", "Customers get their money back", "To Do", "")
	s.jira(17, "PAY-17", "Story", "Refund a charge", "To Do", "PAY-1")
	s.jira(18, "PAY-18", "Story", "Keep a ledger of refunds", "To Do", "PAY-1")
}

func charges(s *stage) {
	s.at("2026-09-01 10:00")
	ben := s.person("ben")
	ben.branch("charges")
	ben.types("src/payments/charge.go", chargeGo)
	ben.types("auth/token.go", tokenGo)
	ben.commit("Charge a card")
	r := ben.opens(1, "feat: charge a card", "Nothing was charged until now.")
	r.run(7001, 1).tests("")
	r.reviewed(s.who("cleo"), "approved", r.head())
	sha := r.lands(s.who("cleo"), "charges", false)
	s.at("2026-09-02 09:00")
	j := s.onMain(7002, sha)
	j.releases("v1.0.0")
	j.deploys(501, "v1.0.0", "deploy")
}

func refunds(s *stage) {
	s.at("2026-09-07 09:00")
	ada, ben, cleo := s.person("ada"), s.who("ben"), s.who("cleo")
	s.jira(17, "PAY-17", "Story", "Refund a charge", "In Progress", "PAY-1")
	ada.branch("pay-17-refunds")
	planner := ada.start("claude-code", Planner, opus).asks("Plan PAY-17 and have it built: refunds of charges, with the scope that a token needs.")
	planner.reads("PAY-17").writes("docs/refunds.md", refundsMD)
	planner.spawns("a17f01", sonnet, "Write src/payments/refund.go", func(w *session) {
		w.writes("src/payments/refund.go", refundFirst).writes("src/payments/refund_test.go", refundTest)
	})
	planner.spawns("a17f02", sonnet, "Write auth/scope.go after the bank's documentation", func(w *session) {
		w.runs("curl -s https://docs.bank.example/scopes", false).writes("auth/scope.go", scopeGo)
	})
	planner.runs("go test ./...", true)
	ada.commit("feat: refunds, as planned\n\nPAY-17")
	r := ada.opens(2, "feat: refunds", "A charge can be paid back.\n\nPAY-17, PAY-18")
	r.run(7011, 1).tests("TestRefundOfNothing")
	r.reviewed(cleo, "changes_requested", r.head())

	// The first iteration: the planner's own.
	s.at("2026-09-07 13:00")
	planner.asks("TestRefundOfNothing fails: a refund of nothing is paid. And try again where the bank does not answer.")
	planner.writes("src/payments/refund.go", refundSecond).runs("go test ./src/payments", true)
	ada.commit("fix: a refund of nothing is an error\n\nPAY-17")
	r.pushes()
	r.run(7012, 1).tests("TestRefundOfNothing")

	// The second: what another vendor's agent wrote.
	s.at("2026-09-08 09:00")
	other := ada.start("codex", "019e0000-0000-7000-8000-000000000002", gpt).asks("PAY-18: keep a ledger of refunds.")
	other.writes("src/payments/ledger.go", ledgerGo).runs("go vet ./...", false)
	ada.commit("feat: a ledger of refunds\n\nPAY-18")
	r.pushes()
	r.run(7013, 1).tests("TestLedger")
	r.reviewed(ben, "approved", r.head()) // of a head that is not the last

	// The third: a person's hand. The machine fails once, which is no iteration.
	s.at("2026-09-08 14:00")
	ada.types("src/payments/refund.go", refundThird)
	ada.commit("A refund is not more than what was charged\n\nPAY-17")
	r.pushes()
	r.run(7014, 1).ended("cancelled")
	r.run(7014, 2).tests("")
	r.reviewed(cleo, "approved", r.head())
	sha := r.lands(ada, "refunds", true)
	s.jira(17, "PAY-17", "Story", "Refund a charge", "Done", "PAY-1")
	s.jira(18, "PAY-18", "Story", "Keep a ledger of refunds", "Done", "PAY-1")

	s.at("2026-09-09 09:00")
	j := s.onMain(7015, sha)
	j.releases("v1.1.0")
	j.deploys(502, "v1.1.0", "deploy")
}

func broken(s *stage) {
	s.at("2026-09-10 07:30")
	s.pagerDuty("triggered", "triggered")
	sha := s.told.Commits["charges"]
	j := s.onMain(7016, sha)
	j.record("incident", "--source", "pagerduty", "--key", "PGR0VU2", "--env", "prod", "--service", "payments", "--title", "Refunds are paid twice", "--opened", s.stamp(),
		"--cause", "deployment:prod/"+Repository+"/502")
	s.at("2026-09-10 07:50")
	j.deploys(503, "v1.0.0", "rollback")
	s.at("2026-09-10 08:10")
	s.pagerDuty("resolved", "resolved")
}

func mended(s *stage) {
	s.at("2026-09-10 09:00")
	ada := s.person("ada")
	ada.branch("refund-once")
	x := ada.start("claude-code", "5c1e0a52-0000-4000-8000-000000000003", opus).asks("Incident PGR0VU2: every refund is paid twice. Find out why, and mend it.")
	x.runs("grep -n Transfer src/payments/refund.go", false).writes("src/payments/refund.go", refundFourth)
	ada.commit("fix: a refund is paid once\n\nPAY-17")
	r := ada.opens(3, "fix: a refund is paid once", "The loop went on when the bank had paid.\n\nPAY-17")
	r.run(7021, 1).tests("")
	r.reviewed(s.who("ben"), "approved", r.head())
	sha := r.lands(s.who("ben"), "mended", true)
	s.at("2026-09-11 09:00")
	j := s.onMain(7022, sha)
	j.releases("v1.1.1")
	j.deploys(504, "v1.1.1", "deploy")
}

func secured(s *stage) {
	s.at("2026-09-14 09:00")
	ada := s.person("ada")
	ada.branch("constant-time")
	x := ada.start("gemini-cli", "7e000000-0000-4000-8000-000000000004", pro).asks("The scanner says that auth/token.go compares a token byte by byte. Mend it.")
	x.writes("auth/token.go", tokenSecure)
	ada.commit("fix(security): compare tokens in constant time")
	r := ada.opens(4, "fix(security): compare tokens in constant time", "What CodeQL found in auth/token.go.")
	r.run(7031, 1).tests("")
	r.reviewed(s.who("cleo"), "approved", r.head())
	sha := r.lands(s.who("cleo"), "secured", true)
	j := s.onMain(7032, sha)
	j.releases("v1.1.2")
	j.deploys(505, "v1.1.2", "deploy")
}

func cached(s *stage) {
	s.at("2026-09-15 09:00")
	ada := s.person("ada")
	ada.branch("cache-rates")
	x := ada.start("codex", "019e0000-0000-7000-8000-000000000005", gpt).asks("Cache the rates of exchange.")
	x.writes("src/rates/cache.go", cacheGo)
	ada.commit("feat: cache rates of exchange")
	r := ada.opensAs(robot, 5, "feat: cache rates of exchange", "They are asked for too often.")
	r.run(7041, 1).tests("")
	r.reviewed(ada, "approved", r.head())
	r.lands(ada, "cached", true)
}

func reverted(s *stage) {
	s.at("2026-09-16 09:00")
	ben := s.person("ben")
	s.issue(6, ben, "Rates are an hour old", "open")
	ben.branch("revert-5")
	s.tick()
	ben.git("revert", "--no-edit", s.told.Commits["cached"])
	r := ben.opens(7, `Revert "feat: cache rates of exchange"`, "Fixes #6.\n\nReverts acme/pay#5")
	r.run(7051, 1).tests("")
	r.reviewed(s.who("cleo"), "approved", r.head())
	r.lands(ben, "reverted", true)
	s.issue(6, ben, "Rates are an hour old", "closed")
}

func pushed(s *stage) {
	s.at("2026-09-17 18:00")
	dan := s.person("dan")
	dan.types("src/payments/charge.go", chargeMore)
	sha := dan.commit("Raise the limit of a charge")
	dan.push("refs/heads/main", dan.account())
	s.told.Commits["pushed"] = sha
	s.person("web-flow").git("fetch", "-q", "origin")
	s.person("web-flow").git("checkout", "-q", "-B", "main", "origin/main")
	j := s.onMain(7061, sha)
	j.releases("v1.2.0")
	j.deploys(506, "v1.2.0", "deploy")
}
