// SIGUSR2: the program is started anew with the same listening sockets, and takes their clients when it serves. Until then
// nothing changes here; if it does not come to serve, nothing ever does.

extension Server {
    /// SIGUSR2.
    func handOver() {
        switch stage {
        case .handingOver: return log.write(.warning, "SIGUSR2: a new guardd is starting up already")
        case .retiring, .stopping: return log.write(.warning, "SIGUSR2: this guardd is ending already")
        case .serving: break
        }
        if let watcher = ProcessWatcher.found { return log.write(.error, "SIGUSR2: no new guardd is started, this one serves on: \(watcher.text)") }
        guard let program else { return log.write(.error, "can't start a new guardd: the path of the program is not known; restart it") }
        do throws(ReactorError) {
            let new = try Successor(
                program, sockets.all, tls.texts, loop: loop, until: EventLoop.milliseconds() + configuration.handoverTimeout.clockMilliseconds
            ) { [unowned self] in successorEnded($0) }
            new.stopped = { [unowned self] in stop() }
            successor = new
            stage = .handingOver
            log.write(.info, "SIGUSR2: starting a new guardd, process \(new.process)")
        } catch {
            log.write(.error, "can't start a new guardd, this one serves on: \(program.path): \(error.text)")
        }
    }

    private func successorEnded(_ outcome: Successor.Outcome) {
        guard case .handingOver = stage, let successor else { return }
        switch outcome {
        case .failed(let reason):
            stage = .serving
            self.successor = nil
            log.write(.error, "the new guardd does not serve, this one serves on: \(reason)")
        case .serves(let taken):
            log.write(.info, "the new guardd serves, process \(successor.process): sessions that are open here go on")
            // systemd listens to the main process; until it knows of the new one, that is this one.
            notify.send(.mainPID(successor.process))
            retire(draining: Set(taken.indices.filter { !taken[$0] }))
        }
    }

    /// At the start.
    func makePredecessor(_ inheritance: Inheritance) throws(ServerError) {
        guard let descriptor = inheritance.report else { return }
        do throws(ReactorError) {
            predecessor = try Predecessor(descriptor, loop: loop) { [unowned self] in
                predecessor = nil
                if configuration.recordsOutgoingMail { holes.predecessorEnded(at: EventLoop.seconds()) }
                log.write(.info, "the guardd before this one has ended")
                endIfDone()
            }
        } catch { throw .reactor(error) }
    }
}
