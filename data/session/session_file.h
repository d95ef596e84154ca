#pragma once

#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/parameters.h"
#include "data/session/file_digest.h"

namespace qaq {

/// A session: what a window kept, as a JSON file. Every object keeps the keys that this program
/// does not know in `rest`, and writes them again behind its own.
using SessionJson = nlohmann::ordered_json;

/// `"set"` of a preset: all parameters by their full names, so that a later program's defaults
/// change nothing.
using SessionParameters = std::vector<std::pair<std::string, ParameterValue>>;

struct SessionCapture {
  std::string path;                  ///< relative to the session's folder, with '/'
  std::optional<FileDigest> digest;  ///< "bytes" and "sha256"; none: not checked
  SessionJson rest{};
};

/// A setting that was given a name.
struct SessionRun {
  std::string name;
  std::string capture;  ///< path of one of the captures; empty: the open one
  SessionParameters set;
  std::int64_t prefix = 0;  ///< tokens; 0: all
  std::string policy = "qaq";
  SessionJson rest{};
};

/// What the setting that is shown is held against: a setting, "whole" (nothing is quantized) or
/// "shown" (the one that is shown), of the open capture or another.
struct SessionReference {
  std::string kind = "setting";
  SessionRun run;  ///< `capture` is a path relative to the session's folder
};

/// A cache, layer and head, and where it is one cell of them, which.
struct SessionCell {
  std::string cache = "value";  ///< or "key"
  std::int64_t layer = 0;       ///< of the model
  std::int64_t head = 0;        ///< KV head
  std::optional<std::int64_t> query_head{};
  std::optional<std::int64_t> token{}, step{}, channel{};
  SessionJson rest{};
};

/// A named set of tokens.
struct SessionSlice {
  std::string name;
  std::vector<std::int64_t> tokens;  ///< positions
  /// Where not all layers and KV heads are meant: first and last token, first and last row (a row
  /// is a layer's place among the captured ones times KV heads, plus the KV head).
  std::vector<std::array<std::int64_t, 4>> boxes{};
  SessionJson rest{};
};

struct SessionAnnotation {
  SessionCell cell;
  std::string text;
  SessionJson rest{};
};

/// Rows of views by their ids.
struct SessionPage {
  std::string title;
  std::vector<std::vector<std::string>> rows;
  SessionJson rest{};
};

struct SessionFile {
  std::string app_version;  ///< of the program that wrote it
  std::vector<SessionCapture> captures;
  std::string open;  ///< path of the capture that is shown; empty: the first
  std::string policy = "qaq";
  SessionParameters set;
  std::int64_t prefix = 0;
  std::optional<SessionCell> slice;  ///< without token
  std::optional<SessionCell> lock;
  std::vector<SessionRun> runs;
  std::optional<SessionReference> reference{};
  std::vector<SessionPage> pages;
  std::int64_t page = 0;  ///< index of the one in front
  SessionJson views{};    ///< object: what each view keeps (ranges, choices) by its id
  std::string layout;     ///< of docks and toolbars, base64
  std::vector<SessionSlice> slices;
  std::vector<SessionCell> pins;
  std::vector<SessionAnnotation> annotations;
  SessionJson rest{};
};

/// Reads a session, of 16 MiB and 32 levels at most. Throws Error{input} that names file and JSON
/// path: no JSON, another format or version, a known key with a value that it cannot have.
SessionFile read_session(const std::string& path);
/// The same of a text; `file` is named where it is refused.
SessionFile parse_session(const std::string& text, const std::string& file);

std::string session_text(const SessionFile& session);
/// Writes it whole or not at all. Throws Error{work}.
void write_session(const std::string& path, const SessionFile& session);

}  // namespace qaq
