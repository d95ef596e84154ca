#pragma once

#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "data/files/partial_file.h"
#include "data/results/result_record.h"

namespace qaq {

/// Reads a results file, ours or the authors'. Throws Error{input} with the place.
std::vector<ResultRecord> read_results(const std::string& path);

/// Writes a whole results file, one run a line, under its name at once. Throws Error{work}.
void write_results(const std::string& path, const std::vector<ResultRecord>& records);

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

/// A results file that grows run by run.
class ResultsJournal {
 public:
  /// Goes on with the file, where there is one: what a kill left of a last line is cut off. Throws
  /// Error{input} where the file is no results file of ours, Error{work} where it cannot be
  /// written.
  explicit ResultsJournal(std::string path);

  const std::vector<ResultRecord>& records() const { return records_; }
  bool has(const std::string& hash) const { return hashes_.contains(hash); }
  /// Writes the run; the file is valid JSON afterwards.
  void append(ResultRecord record);
  /// Sorts the file. Nothing is appended afterwards.
  void finish();

 private:
  std::string path_;
  std::fstream file_;
  std::vector<ResultRecord> records_;
  std::set<std::string> hashes_;
};

}  // namespace qaq
