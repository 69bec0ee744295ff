// Bodies of fields, one behind the other in one store: a header section has dozens, and most are never asked for.
// They are lent as spans, so that to look at one copies nothing.

struct FieldBodies: Sendable {
    private struct Place: Sendable {
        var name: FieldName
        var range: Range<Int>
    }

    private var octets: Octets = []
    private var places: [Place] = []
    private var start = 0

    /// Empties the store; its storage stays.
    mutating func reset() {
        octets.removeAll(keepingCapacity: true)
        places.removeAll(keepingCapacity: true)
    }

    mutating func begin() {
        if octets.capacity == 0 {
            octets.reserveCapacity(1024)
            places.reserveCapacity(16)
        }
        start = octets.count
    }

    /// - Parameter limit: of the whole body; what is beyond it is left out.
    mutating func append(_ text: Span<UInt8>, limit: Int) {
        let room = limit - (octets.count - start)
        if room > 0 { octets.append(text.extracting(0..<min(text.count, room))) }
    }

    /// The body has ended; it is kept without the blanks around it.
    ///
    /// - Parameter limit: what is beyond it is cut off.
    mutating func end(_ name: FieldName, limit: Int) {
        var end = octets.count
        while end > start, octets[end - 1] <= ASCII.space { end -= 1 }
        var first = start
        while first < end, octets[first] <= ASCII.space { first += 1 }
        end = first + min(end - first, limit)
        if end < octets.count { octets.removeLast(octets.count - end) }
        places.append(Place(name: name, range: first..<end))
    }

    /// The first body of that name, as long as the call lasts; nil when there is none.
    func reading<Result>(_ name: FieldName, _ read: (Span<UInt8>) -> Result) -> Result? {
        for place in places where place.name == name { return read(octets.span.extracting(place.range)) }
        return nil
    }

    /// All bodies of those names, in order.
    func forEach(of names: FieldNames, _ read: (Span<UInt8>) -> Void) {
        for place in places where names.contains(place.name) { read(octets.span.extracting(place.range)) }
    }
}
