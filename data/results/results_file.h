#pragma once

#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "data/files/partial_file.h"
#include "data/results/result_record.h"

namespace qaq {

/// Reads a results file, ours or the authors': JSON or an HDF5 table, told by its content. Throws
/// Error{input} with the place.
std::vector<ResultRecord> read_results(const std::string& path);

/// Writes a whole results file under its name at once: JSON, one run a line, or where the name ends
/// in .h5 or .hdf5 a table (results_table.h), with `head` among its attributes. Throws Error{work}.
void write_results(const std::string& path, const std::vector<ResultRecord>& records,
                   const nlohmann::ordered_json& head = nlohmann::ordered_json::object());

/// A whole results file as write_results() makes it, of runs that are known later. Opened before
/// the work, so that a path that cannot be written is told then.
class ResultsWriter {
 public:
  /// Throws Error{work}.
  explicit ResultsWriter(const std::string& path);
  /// The file has its name when this returns. Throws Error{work}.
  void write(const std::vector<ResultRecord>& records);

 private:
  std::string path_;
  std::ofstream out_;
  PartialFile partial_;
};

/// The order of runs in a finished file: by subject, then by parameters, so that it does not depend
/// on who made them when.
void sort_results(std::vector<ResultRecord>& records);

/// A results file that grows run by run. An HDF5 table, which a kill in the middle of writing could
/// leave unreadable, is written when it is finished; until then its runs are in NAME.runs.json.
class ResultsJournal {
 public:
  /// Goes on with the file, where there is one: what a kill left of a last line is cut off. `head`
  /// as in write_results(). Throws Error{input} where the file is no results file of ours,
  /// Error{work} where it cannot be written.
  explicit ResultsJournal(std::string path,
                          nlohmann::ordered_json head = nlohmann::ordered_json::object());

  /// The file that holds the runs until finish().
  const std::string& journal_path() const { return journal_path_; }
  const std::vector<ResultRecord>& records() const { return records_; }
  bool has(const std::string& hash) const { return hashes_.contains(hash); }
  /// Writes the run; the file is valid JSON afterwards.
  void append(ResultRecord record);
  /// Takes the journal's file away where it holds no run: nothing came of what was begun. Nothing
  /// is appended afterwards.
  void drop_if_empty();
  /// Sorts the file, or writes the table. Nothing is appended afterwards.
  void finish();

 private:
  void add(std::vector<ResultRecord> records);

  std::string path_, journal_path_;
  nlohmann::ordered_json head_;
  std::fstream file_;
  std::vector<ResultRecord> records_;
  std::set<std::string> hashes_;
};

}  // namespace qaq
