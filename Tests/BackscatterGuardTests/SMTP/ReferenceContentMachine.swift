// The obvious machine over every octet, in which the definitions of THREATS R1 and R2 can be read: the fast scanner is
// held equal to it. It knows the whole content at once, so it shares neither states nor seams with the scanner.

@testable import BackscatterGuard

/// What must be found in a content that begins just after CRLF.
enum ReferenceContent: Equatable {
    /// All is content, less `keptBack` octets at the end.
    case more(keptBack: Int)
    /// The dot, and the index after LF.
    case ended(dot: Int, at: Int)
    case lookAlike(at: Int)

    /// The first of the end and, if `reportsLookAlikes`, the look-alikes.
    static func find(_ content: Octets, reportsLookAlikes: Bool = true) -> ReferenceContent {
        let octets: Octets = [ASCII.cr, ASCII.lf] + content      // the CRLF of the DATA line
        for dot in octets.indices where octets[dot] == ASCII.dot {
            var before = dot - 1
            while before >= 0, octets[before] == ASCII.nul { before -= 1 }
            guard before >= 0, octets[before] == ASCII.cr || octets[before] == ASCII.lf else { continue }
            var behind = dot + 1
            while behind < octets.count, octets[behind] == ASCII.nul { behind += 1 }
            guard behind < octets.count, octets[behind] == ASCII.cr || octets[behind] == ASCII.lf else { continue }
            let isExact = before == dot - 1 && behind == dot + 1
            let followsCRLF = isExact && octets[before] == ASCII.lf && octets[before - 1] == ASCII.cr
            if followsCRLF, octets[behind] == ASCII.cr {
                if behind + 1 == octets.count { return .more(keptBack: 1) }
                if octets[behind + 1] == ASCII.lf { return .ended(dot: dot - 2, at: behind) }
            }
            if reportsLookAlikes { return .lookAlike(at: behind - 2) }
        }
        return .more(keptBack: 0)
    }

    /// Whether a CR without LF or an LF without CR lies in the content; a CR at its very end is not judged yet.
    static func hasBareLineEnding(_ content: Octets) -> Bool {
        for index in content.indices {
            if content[index] == ASCII.lf, index == 0 || content[index - 1] != ASCII.cr { return true }
            if content[index] == ASCII.cr, index + 1 < content.count, content[index + 1] != ASCII.lf { return true }
        }
        return false
    }
}
