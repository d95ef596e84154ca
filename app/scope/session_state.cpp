#include "app/scope/session_state.h"

#include <QJsonDocument>
#include <algorithm>
#include <filesystem>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/base/version.h"
#include "data/session/session_paths.h"

namespace qaq::scope {
namespace {

using views::SessionState;

QString textOf(const std::string& text) { return QString::fromStdString(text); }

// "level" and "key.level" are known; a later program's parameters are not, and are kept.
bool isKnown(const std::vector<Parameter>& parameters, const std::string& name) {
  return std::ranges::any_of(parameters, [&](const Parameter& parameter) {
    return parameter.name == name || parameter.name.ends_with("." + name);
  });
}

ScopeParams paramsOf(const std::string& policy, const SessionParameters& set,
                     const std::string& file, const std::string& place) {
  ScopeParams params;
  try {
    set_policy(params, policy);
  } catch (const Error& error) {
    ErrorText text = error.text();
    text.file = file;
    text.place = place.substr(0, place.size() - 3) + "policy";
    refuse_input(std::move(text));
  }
  const std::vector<Parameter> known = list_parameters(params);
  for (const auto& [name, value] : set) {
    if (!isKnown(known, name)) continue;
    try {
      set_parameter(params, name, value);
    } catch (const Error& error) {
      ErrorText text = error.text();
      text.file = file;
      text.place = cat(place, "/", name);
      refuse_input(std::move(text));
    }
  }
  return params;
}

// All parameters, then those of `before`, where it is of the same policy, that are not known here.
template <class Before>
SessionParameters setOf(const ScopeParams& params, const Before& before) {
  const std::vector<Parameter> known = list_parameters(params);
  SessionParameters out;
  for (const Parameter& parameter : known) out.emplace_back(parameter.name, parameter.value);
  if (before.policy != params.policy) return out;
  for (const auto& each : before.set) {
    if (!isKnown(known, each.first)) out.push_back(each);
  }
  return out;
}

int intOf(std::int64_t value) { return static_cast<int>(value); }  // the reader holds them to that

views::Slice sliceOf(const SessionCell& cell) {
  return {.side = cell.cache == "key" ? CacheSide::key : CacheSide::value,
          .layer = intOf(cell.layer),
          .kvHead = intOf(cell.head),
          .queryHead = intOf(cell.query_head.value_or(views::Slice::kGroup))};
}

views::Cursor cursorOf(const SessionCell& cell) {
  return {.side = cell.cache == "key" ? CacheSide::key : CacheSide::value,
          .layer = intOf(cell.layer),
          .kvHead = intOf(cell.head),
          .token = intOf(cell.token.value_or(0)),
          .step = intOf(cell.step.value_or(views::Cursor::kNone)),
          .channel = intOf(cell.channel.value_or(views::Cursor::kNone))};
}

std::string nameOf(CacheSide side) { return side == CacheSide::key ? "key" : "value"; }

std::optional<std::int64_t> unlessNone(int value, int none) {
  return value == none ? std::nullopt : std::optional<std::int64_t>(value);
}

SessionCell cellOf(const views::Slice& slice) {
  return {.cache = nameOf(slice.side),
          .layer = slice.layer,
          .head = slice.kvHead,
          .query_head = unlessNone(slice.queryHead, views::Slice::kGroup)};
}

SessionCell cellOf(const views::Cursor& cursor) {
  return {.cache = nameOf(cursor.side),
          .layer = cursor.layer,
          .head = cursor.kvHead,
          .token = cursor.token,
          .step = unlessNone(cursor.step, views::Cursor::kNone),
          .channel = unlessNone(cursor.channel, views::Cursor::kNone)};
}

// `out` with what that of `before` held that is not known here.
template <class T, class Same>
T withRest(T out, const std::vector<T>& before, Same same) {
  const auto found = std::ranges::find_if(before, same);
  if (found != before.end()) out.rest = found->rest;
  return out;
}

template <class T>
auto isNamed(const std::string& name) {
  return [name](const T& each) { return each.name == name; };
}

SessionJson jsonOf(const QJsonObject& object) {
  return SessionJson::parse(QJsonDocument(object).toJson(QJsonDocument::Compact).toStdString());
}

QJsonObject objectOf(const SessionJson& json) {
  return QJsonDocument::fromJson(QByteArray::fromStdString(json.dump())).object();
}

// Paths of captures, from relative to the old place to relative to the new one.
void moveCaptures(SessionFile& session, const std::string& from, const std::string& to) {
  if (from.empty() || from == to) return;
  const std::filesystem::path folder = std::filesystem::absolute(from).parent_path();
  const auto move = [&](std::string& path) {
    if (!path.empty()) path = session_path_of((folder / path).string(), to);
  };
  for (SessionCapture& capture : session.captures) move(capture.path);
  for (SessionRun& run : session.runs) move(run.capture);
  if (session.reference) move(session.reference->run.capture);
  move(session.open);
}

// The open capture takes the place of the one that was open in the document.
void putCapture(SessionFile& session, const std::string& path, const std::string& session_path) {
  const std::string written = session_path_of(path, session_path);
  const SessionCapture* before = open_capture_of(session);
  const auto same = std::ranges::find(session.captures, written, &SessionCapture::path);
  SessionCapture* place = same != session.captures.end() ? &*same : nullptr;
  if (!place && before) {
    place = &session.captures[static_cast<std::size_t>(before - session.captures.data())];
  }
  if (!place) place = &session.captures.emplace_back();
  for (SessionRun& run : session.runs) {
    if (run.capture == place->path && !run.capture.empty()) run.capture = written;
  }
  place->path = written;
  place->digest = file_digest(path);
  session.open = written;
}

}  // namespace

SessionFile sessionFileOf(const SessionState& state, const std::string& path) {
  SessionFile session;
  if (!state.document.isEmpty()) {
    session = parse_session(state.document.toStdString(), path);
    moveCaptures(session, state.origin.toStdString(), path);
  }
  const SessionFile before = session;
  session.app_version = program_version();
  if (!state.capture.isEmpty()) putCapture(session, state.capture.toStdString(), path);
  session.policy = state.params.policy;
  session.set = setOf(state.params, before);
  session.prefix = state.prefix;
  const auto keepRest = [](std::optional<SessionCell>& cell, const auto& old) {
    if (cell && old) cell->rest = old->rest;
  };
  session.slice = state.slice ? std::optional(cellOf(*state.slice)) : std::nullopt;
  session.lock = state.lock ? std::optional(cellOf(*state.lock)) : std::nullopt;
  keepRest(session.slice, before.slice);
  keepRest(session.lock, before.lock);

  session.runs.clear();
  for (const SessionState::Run& run : state.runs) {
    const std::string name = run.name.toStdString();
    SessionRun out{
        .name = name, .capture = {}, .set = {}, .prefix = run.prefix, .policy = run.params.policy};
    const auto old = std::ranges::find(before.runs, name, &SessionRun::name);
    if (old != before.runs.end()) {
      out.capture = old->capture;
      out.rest = old->rest;
    }
    out.set = setOf(run.params, old != before.runs.end() ? *old : SessionRun{});
    session.runs.push_back(std::move(out));
  }
  session.reference.reset();
  if (state.reference) {
    const SessionState::Reference& reference = *state.reference;
    SessionRun run{
        .name = reference.label.toStdString(),
        .capture = {},
        .set = setOf(reference.params, before.reference ? before.reference->run : SessionRun{}),
        .prefix = reference.prefix,
        .policy = reference.params.policy};
    if (!reference.capture.isEmpty()) {
      run.capture = session_path_of(reference.capture.toStdString(), path);
    }
    if (before.reference) run.rest = before.reference->run.rest;
    session.reference = SessionReference{reference.kind.toStdString(), std::move(run)};
  }
  session.pages.clear();
  for (const SessionState::Page& page : state.pages) {
    SessionPage out{.title = page.title.toStdString(), .rows = {}};
    for (const QStringList& row : page.rows) {
      std::vector<std::string>& ids = out.rows.emplace_back();
      for (const QString& id : row) ids.push_back(id.toStdString());
    }
    session.pages.push_back(withRest(
        out, before.pages, [&](const SessionPage& old) { return old.title == out.title; }));
  }
  session.page = state.page;
  session.views = jsonOf(state.views);
  session.layout = state.layout.toStdString();
  session.slices.clear();
  for (const SessionState::TokenSet& set : state.slices) {
    SessionSlice out{.name = set.name.toStdString(),
                     .tokens = {set.tokens.begin(), set.tokens.end()}};
    for (const auto& [first, last, firstRow, lastRow] : set.boxes) {
      out.boxes.push_back({first, last, firstRow, lastRow});
    }
    session.slices.push_back(withRest(out, before.slices, isNamed<SessionSlice>(out.name)));
  }
  session.pins.clear();
  for (const views::Cursor& pin : state.pins) {
    session.pins.push_back(withRest(cellOf(pin), before.pins,
                                    [&](const SessionCell& old) { return cursorOf(old) == pin; }));
  }
  session.annotations.clear();
  for (const SessionState::Annotation& note : state.annotations) {
    SessionAnnotation out{.cell = cellOf(note.cell), .text = note.text.toStdString()};
    const auto same = [&](const SessionAnnotation& old) { return cursorOf(old.cell) == note.cell; };
    const auto old = std::ranges::find_if(before.annotations, same);
    if (old != before.annotations.end()) out.cell.rest = old->cell.rest;
    session.annotations.push_back(withRest(std::move(out), before.annotations, same));
  }
  return session;
}

views::LoadedSession loadedSession(const SessionFile& session, const std::string& path,
                                   const std::string& located) {
  views::LoadedSession out;
  SessionState& state = out.state;
  if (const SessionCapture* open = open_capture_of(session)) {
    const FoundCapture found = find_capture(*open, path);
    if (!located.empty()) {
      state.capture = textOf(located);
      out.changed = open->digest && file_digest(located) != *open->digest;
    } else if (found.state == FoundCapture::State::missing) {
      out.missing = textOf(found.path);
    } else {
      state.capture = textOf(found.path);
      out.changed = found.state == FoundCapture::State::changed;
    }
  }
  state.params = paramsOf(session.policy, session.set, path, "set");
  state.prefix = session.prefix;
  if (session.slice) state.slice = sliceOf(*session.slice);
  if (session.lock) state.lock = cursorOf(*session.lock);
  for (const SessionRun& run : session.runs) {
    state.runs.push_back(
        {textOf(run.name),
         paramsOf(run.policy, run.set, path, cat("runs/", state.runs.size(), "/set")), run.prefix});
  }
  if (session.reference) {
    const SessionRun& run = session.reference->run;
    QString capture;
    if (!run.capture.empty()) {
      capture =
          textOf((std::filesystem::absolute(path).parent_path() / run.capture).lexically_normal());
    }
    state.reference = {textOf(session.reference->kind), textOf(run.name), capture,
                       paramsOf(run.policy, run.set, path, "reference/set"), run.prefix};
  }
  for (const SessionPage& page : session.pages) {
    SessionState::Page kept{textOf(page.title), {}};
    for (const std::vector<std::string>& row : page.rows) {
      QStringList& ids = kept.rows.emplace_back();
      for (const std::string& id : row) ids.push_back(textOf(id));
    }
    state.pages.push_back(kept);
  }
  state.page = intOf(session.page);
  state.views = objectOf(session.views);
  state.layout = QByteArray::fromStdString(session.layout);
  for (const SessionSlice& slice : session.slices) {
    SessionState::TokenSet set{textOf(slice.name), {}};
    for (const std::int64_t token : slice.tokens) set.tokens.push_back(intOf(token));
    for (const auto& [first, last, firstRow, lastRow] : slice.boxes) {
      set.boxes.push_back({intOf(first), intOf(last), intOf(firstRow), intOf(lastRow)});
    }
    state.slices.push_back(set);
  }
  for (const SessionCell& pin : session.pins) state.pins.push_back(cursorOf(pin));
  for (const SessionAnnotation& note : session.annotations) {
    state.annotations.push_back({cursorOf(note.cell), textOf(note.text)});
  }
  state.document = QByteArray::fromStdString(session_text(session));
  state.origin = textOf(std::filesystem::absolute(path).string());
  return out;
}

views::LoadedSession openSession(const std::string& path) {
  const views::LoadedSession session = loadedSession(read_session(path), path);
  if (!session.missing.isEmpty()) {
    refuse_input({.file = path,
                  .place = "captures",
                  .what = cat("the capture ", session.missing.toStdString(), " was not found"),
                  .cure = "put it there or beside the session, or open the session in the window "
                          "to locate it"});
  }
  if (session.state.capture.isEmpty()) {
    refuse_input({.file = path,
                  .place = "captures",
                  .what = "is empty: the session holds no capture",
                  .cure = "open a capture in the window and save the session"});
  }
  return session;
}

views::SessionFiles sessionFiles() {
  return {.load =
              [](const QString& path, const QString& located) {
                const std::string file = path.toStdString();
                return loadedSession(read_session(file), file, located.toStdString());
              },
          .save =
              [](const QString& path, const SessionState& state) {
                const SessionFile session = sessionFileOf(state, path.toStdString());
                write_session(path.toStdString(), session);
                return QByteArray::fromStdString(session_text(session));
              }};
}

}  // namespace qaq::scope
