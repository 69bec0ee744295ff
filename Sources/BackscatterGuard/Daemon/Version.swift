/// What `guardd --version`, metrics and the status call this version.
public enum Version {
    public static let text = "0.1.0"
}
