// What the system says of this process, for metrics.

import Foundation
import Glibc

struct ProcessFigures {
    /// Seconds.
    let processorTime: Double
    /// Octets in RAM; nil when the system doesn't tell.
    let resident: Int?
    let openDescriptors: Int?
    /// nil: no limit.
    let descriptorLimit: Int?

    static func now() -> ProcessFigures {
        var usage = rusage()
        unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        let processor = [usage.ru_utime, usage.ru_stime].reduce(0.0) { $0 + Double($1.tv_sec) + Double($1.tv_usec) / 1e6 }
        var limit = rlimit()
        let isLimited = unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 && limit.rlim_cur < UInt64(Int.max)
        // The kernel's files never wait for a disk.
        let resident = SmallFile.read("/proc/self/status").flatMap(Self.resident)
        let descriptors = try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
        return ProcessFigures(
            processorTime: processor, resident: resident, openDescriptors: descriptors,
            descriptorLimit: isLimited ? Int(limit.rlim_cur) : nil)
    }

    /// `VmRSS:     36012 kB` among the lines of proc(5)'s status, in octets.
    static func resident(_ status: String) -> Int? {
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        return line?.split { $0 == " " || $0 == "\t" }.dropFirst().first.flatMap { Int($0) }.map { $0 * 1_024 }
    }
}
