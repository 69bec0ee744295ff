// The end, at once or by and by. Stopping: no new clients, idle sessions get 421, open transactions may end, within
// stop_timeout. Retiring, when a successor serves: no new clients, sessions go on as ever for stop_timeout, then it stops.

extension Server {
    /// SIGTERM, SIGINT. Clients in the queue of a socket that nobody else holds are told to come again.
    func stop() {
        switch stage {
        case .stopping: return
        case .handingOver:
            successor?.kill()
            log.write(.warning, "the new guardd is ended too")
            notify.send(.stopping)
        case .serving: notify.send(.stopping)
        case .retiring: break                               // the service goes on with the successor
        }
        predecessor?.stop()
        let drained = sockets.all.indices.filter { sockets.all[$0].origin == .own }
        beginStopping(draining: Set(drained))
    }

    private func beginStopping(draining drained: Set<Int>) {
        stage = .stopping(until: EventLoop.milliseconds() + configuration.stopTimeout.clockMilliseconds)
        log.write(.info, "stopping: open transactions may end")
        // First: a socket that stays open here would go on taking clients while the workers turn away its last.
        sockets.close()
        if isReplaced { status.close() }
        for worker in workers { worker.mailbox.post(.stop(drains: drained)) }
    }

    /// - Parameter drained: sockets that the successor does not use.
    func retire(draining drained: Set<Int>) {
        isReplaced = true
        status.retire { [unowned self] in endIfDone() }     // the successor's numbers count from here on
        stage = .retiring(until: EventLoop.milliseconds() + configuration.stopTimeout.clockMilliseconds)
        sockets.close()
        for worker in workers { worker.mailbox.post(.retire(drains: drained)) }
    }

    /// Every second.
    func watchTheClock(at now: Int64) {
        switch stage {
        case .serving: break
        case .handingOver: successor?.tick(at: now)
        case .retiring(let end):
            if now > end { beginStopping(draining: []) }
        case .stopping(let end):
            guard now > end else { return }
            stage = .stopping(until: .max)
            log.write(.warning, "stop_timeout is over: closing the sessions that are left")
            for worker in workers { worker.mailbox.post(.abort) }
        }
    }

    /// The workers have ended, nobody waits for the status, and so has the guardd before this one: who sees the end of this one may count on both.
    func endIfDone() {
        guard workers.allSatisfy(\.hasEnded), predecessor == nil, !status.isRetiring else { return }
        loop.stop()
    }
}
