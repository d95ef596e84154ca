#include "data/files/whole_file.h"
#include "data/session/session_file.h"

namespace qaq {
namespace {

using Json = SessionJson;

// Keys that this program does not know, behind its own.
Json with_rest(Json json, const Json& rest) {
  if (rest.is_object()) {
    for (const auto& [key, value] : rest.items()) json[key] = value;
  }
  return json;
}

Json json_of(const SessionParameters& set) {
  Json json = Json::object();
  for (const auto& [name, value] : set) {
    std::visit([&json, &name = name](const auto& each) { json[name] = each; }, value);
  }
  return json;
}

Json json_of(const SessionCapture& capture) {
  Json json{{"path", capture.path}};
  if (capture.digest) {
    json["bytes"] = capture.digest->n_bytes;
    json["sha256"] = capture.digest->sha256;
  }
  return with_rest(std::move(json), capture.rest);
}

Json json_of(const SessionCell& cell) {
  Json json{{"cache", cell.cache}, {"layer", cell.layer}, {"head", cell.head}};
  const auto put = [&json](const char* key, const std::optional<std::int64_t>& value) {
    if (value) json[key] = *value;
  };
  put("query_head", cell.query_head);
  put("token", cell.token);
  put("step", cell.step);
  put("channel", cell.channel);
  return with_rest(std::move(json), cell.rest);
}

// QAQ need not be named, so that older programs read what they know.
void put_policy(const std::string& policy, Json& json) {
  if (policy != "qaq") json["policy"] = policy;
}

Json json_of(const SessionRun& run) {
  Json json{{"name", run.name}};
  if (!run.capture.empty()) json["capture"] = run.capture;
  put_policy(run.policy, json);
  json["set"] = json_of(run.set);
  json["prefix"] = run.prefix;
  return with_rest(std::move(json), run.rest);
}

Json json_of(const SessionReference& reference) {
  Json json{{"kind", reference.kind}};
  json.update(json_of(reference.run));
  return json;
}

Json json_of(const SessionSlice& slice) {
  Json out{{"name", slice.name}, {"tokens", slice.tokens}};
  if (!slice.boxes.empty()) out["boxes"] = slice.boxes;
  return with_rest(out, slice.rest);
}

Json json_of(const SessionAnnotation& annotation) {
  return with_rest({{"cell", json_of(annotation.cell)}, {"text", annotation.text}},
                   annotation.rest);
}

Json json_of(const SessionPage& page) {
  return with_rest({{"title", page.title}, {"rows", page.rows}}, page.rest);
}

template <class T>
Json list_of(const std::vector<T>& all) {
  Json list = Json::array();
  for (const T& each : all) list.push_back(json_of(each));
  return list;
}

}  // namespace

std::string session_text(const SessionFile& session) {
  Json json{{"format", "qaq-session"},
            {"version", 1},
            {"app_version", session.app_version},
            {"captures", list_of(session.captures)},
            {"open", session.open}};
  put_policy(session.policy, json);
  json["set"] = json_of(session.set);
  json["prefix"] = session.prefix;
  if (session.slice) json["slice"] = json_of(*session.slice);
  if (session.lock) json["lock"] = json_of(*session.lock);
  json["runs"] = list_of(session.runs);
  if (session.reference) json["reference"] = json_of(*session.reference);
  json["pages"] = list_of(session.pages);
  json["page"] = session.page;
  json["views"] = session.views.is_object() ? session.views : Json::object();
  json["layout"] = session.layout;
  json["slices"] = list_of(session.slices);
  json["pins"] = list_of(session.pins);
  json["annotations"] = list_of(session.annotations);
  // Names of files need not be UTF-8; a document always is.
  return with_rest(std::move(json), session.rest)
             .dump(1, ' ', false, Json::error_handler_t::replace) +
         "\n";
}

void write_session(const std::string& path, const SessionFile& session) {
  write_whole(path, session_text(session));
}

}  // namespace qaq
