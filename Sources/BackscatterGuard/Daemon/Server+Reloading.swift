// What changes while guardd runs: the configuration at SIGHUP, certificates when their files change. A bad new one leaves
// the old one in place.

extension Server {
    /// Files that a renewal has changed; no restart, no SIGHUP.
    func renewCertificates() {
        do {
            guard try tls.tick(configuration, at: EventLoop.seconds()) else { return }
            let settings = try configuration.workerSettings(tls: tls.server, blocks: enforcement.blocks)
            for worker in workers { worker.mailbox.post(.settings(settings)) }
            log.write(.info, "certificates read again: \(tls.text)")
            for alarm in tls.unreadable { log.write(.error, alarm) }
        } catch {
            for line in error.lines { log.write(.error, "certificate not taken, the old one stays: \(line)") }
        }
    }

    func reloadConfiguration() {
        notify.send(.reloading)
        defer { notify.send(.ready) }
        do {
            let new = try reload()
            let settings = try new.workerSettings(tls: try tls.load(new, at: EventLoop.seconds()), blocks: enforcement.blocks)
            for key in configuration.changedAtStartOnly(new) { log.write(.warning, "reload: \(key) takes effect at the next start or SIGUSR2 only") }
            configuration = new
            loop.forgetNames()
            sources.take(new, settings.session.policy)
            hooks.take(new)
            policy = settings.session.policy
            enforcement.replace(hosts: new.ownHosts(policy))
            for worker in workers { worker.mailbox.post(.settings(settings)) }
            for alarm in tls.alarms(at: EventLoop.seconds()) { log.write(.error, alarm) }
            for warning in new.warnings { log.write(.warning, warning) }
            log.write(.info, "configuration read again")
        } catch {
            for line in error.lines { log.write(.error, "reload refused, the old configuration stays: \(line)") }
        }
    }
}
