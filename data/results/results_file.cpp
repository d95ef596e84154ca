#include "data/results/results_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <sstream>
#include <utility>

#include "core/base/error.h"
#include "core/base/text.h"
#include "data/capture/column_file.h"
#include "data/files/partial_file.h"
#include "data/files/whole_file.h"
#include "data/results/results_table.h"

namespace qaq {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kEnd = "\n]\n";

[[noreturn]] void refuse(const std::string& file, const std::string& place, const std::string& what,
                         const std::string& cure) {
  refuse_input({.file = file, .place = place, .what = what, .cure = cure});
}

[[noreturn]] void fail_to_write(const std::string& file) {
  throw Error(ErrorKind::work, {.file = file,
                                .what = cat("cannot be written: ", std::strerror(errno)),
                                .cure = "make room on the disk, or write elsewhere"});
}

std::string text_of(const std::string& path) {
  return read_whole(path, "cannot be read", "name a results file");
}

ResultRecord record_of(const Json& json, const std::string& file, const std::string& place) {
  for (const char* key : {"params", "results"}) {
    if (!json.is_object() || !json.contains(key) || !json[key].is_object()) {
      refuse(file, place + "/" + key, "is missing",
             "name a results file of `qaq sweep`, `qaq evaluate` or of the authors");
    }
  }
  return {json["params"], json["results"], json.value("qaq_scope", Json())};
}

Json parse(const std::string& text, const std::string& file) {
  try {
    return Json::parse(text);
  } catch (const Json::parse_error& error) {
    refuse(file, cat("byte ", error.byte), "is not valid JSON", "mend the file at that byte");
  } catch (const Json::out_of_range&) {
    refuse(file, "", "has a number that is too large for any", "mend it");
  }
}

std::vector<ResultRecord> records_of(const Json& json, const std::string& file) {
  if (!json.is_array()) refuse(file, "", "is no list of runs", "name a results file");
  std::vector<ResultRecord> out;
  for (std::size_t i = 0; i < json.size(); ++i) {
    out.push_back(record_of(json[i], file, cat(i)));
  }
  return out;
}

bool is_hdf5(const std::string& path) {
  constexpr std::string_view kSignature("\x89HDF\r\n\x1a\n");
  std::string start(kSignature.size(), ' ');
  std::ifstream(path, std::ios::binary).read(start.data(), std::ssize(start));
  return start == kSignature;
}

std::vector<ResultRecord> records_of_table(const std::string& path) {
  std::vector<ResultRecord> out;
  for (const std::string& text : read_text_column(path, kResultsTable, kRecordColumn)) {
    const std::string place = cat("/", kRecordColumn, "[", out.size(), "]");
    const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (json.is_discarded()) refuse(path, place, "is not valid JSON", "make the file again");
    out.push_back(record_of(json, path, place));
  }
  return out;
}

// Ours has one run a line. What follows the last whole run is a torn line or the end.
std::string whole_runs(const std::string& text, const std::string& file) {
  std::size_t end = std::string::npos;
  for (std::size_t at = text.find('\n'); at != std::string::npos; at = text.find('\n', at + 1)) {
    const std::size_t next = std::min(text.find('\n', at + 1), text.size());
    std::string line = text.substr(at + 1, next - at - 1);
    if (line.ends_with(',')) line.pop_back();
    if (!line.starts_with('{') || !Json::accept(line)) break;
    end = at + 1 + line.size();
  }
  if (end != std::string::npos) return text.substr(0, end);
  if (!text.starts_with("[")) {
    refuse(file, "", "is there and no results file", "write to another file");
  }
  return "[";
}

void write_line(std::ostream& out, const ResultRecord& record, bool first) {
  out << (first ? "[\n" : ",\n") << to_json(record).dump();
}

std::string text_of(const std::vector<ResultRecord>& records) {
  std::ostringstream text;
  for (std::size_t i = 0; i < records.size(); ++i) write_line(text, records[i], i == 0);
  text << (records.empty() ? "[\n]\n" : kEnd);
  return std::move(text).str();
}

}  // namespace

std::vector<ResultRecord> read_results(const std::string& path) {
  if (is_hdf5(path)) return records_of_table(path);
  return records_of(parse(text_of(path), path), path);
}

void write_results(const std::string& path, const std::vector<ResultRecord>& records,
                   const Json& head) {
  if (names_results_table(path)) {
    write_results_table(path, records, head);
    return;
  }
  write_whole(path, text_of(records));
}

ResultsWriter::ResultsWriter(const std::string& path)
    : path_(path),
      out_(PartialFile::name_for_writing(path), std::ios::binary | std::ios::trunc),
      partial_(path) {
  if (!out_) fail_to_write(path_);
}

void ResultsWriter::write(const std::vector<ResultRecord>& records) {
  out_ << text_of(records);
  out_.close();
  if (!out_) fail_to_write(path_);
  partial_.rename();
}

void sort_results(std::vector<ResultRecord>& records) {
  std::vector<std::pair<std::string, std::size_t>> keys;
  const auto subject = [](const ResultRecord& r) {
    Json json = r.qaq_scope.is_object() ? r.qaq_scope : Json::object();
    json.erase("hash");
    json.erase("metrics");
    return json.dump();
  };
  for (std::size_t i = 0; i < records.size(); ++i) {
    keys.emplace_back(records[i].params.dump() + subject(records[i]), i);
  }
  std::ranges::sort(keys);
  std::vector<ResultRecord> sorted;
  for (const auto& [key, i] : keys) sorted.push_back(std::move(records[i]));
  records = std::move(sorted);
}

ResultsJournal::ResultsJournal(std::string path, Json head)
    : path_(std::move(path)), journal_path_(path_), head_(std::move(head)) {
  if (names_results_table(path_)) {
    journal_path_ += ".runs.json";
    PartialFile::name_for_writing(path_);
    if (std::filesystem::exists(path_)) add(read_results(path_));
  }
  if (std::filesystem::exists(journal_path_)) {
    const std::string kept = whole_runs(text_of(journal_path_), journal_path_);
    if (kept != "[") add(records_of(parse(kept + kEnd, journal_path_), journal_path_));
  }
  // What is kept goes under the name whole, in case this ends before the first run does.
  write_results(journal_path_, records_);
  file_.open(journal_path_, std::ios::binary | std::ios::in | std::ios::out);
  if (!file_) fail_to_write(journal_path_);
}

// Without those that a finished table and the journal of its last sweep both have.
void ResultsJournal::add(std::vector<ResultRecord> records) {
  for (ResultRecord& record : records) {
    const std::string hash = record.hash();
    if (hash.empty() || hashes_.insert(hash).second) records_.push_back(std::move(record));
  }
}

void ResultsJournal::append(ResultRecord record) {
  const bool first = records_.empty();
  if (first) {
    file_.seekp(0);
  } else {
    file_.seekp(-static_cast<std::streamoff>(std::strlen(kEnd)), std::ios::end);
  }
  // One write, so that there is no moment with half a run but for a kill within it.
  std::ostringstream text;
  write_line(text, record, first);
  text << kEnd;
  file_ << text.str() << std::flush;
  if (!file_) fail_to_write(journal_path_);
  hashes_.insert(record.hash());
  records_.push_back(std::move(record));
}

void ResultsJournal::drop_if_empty() {
  if (!records_.empty()) return;
  file_.close();
  std::filesystem::remove(journal_path_);
}

void ResultsJournal::finish() {
  file_.close();
  sort_results(records_);
  write_results(path_, records_, head_);
  if (journal_path_ != path_) std::filesystem::remove(journal_path_);
}

}  // namespace qaq
