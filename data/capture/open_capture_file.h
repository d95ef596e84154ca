#pragma once

#include <functional>
#include <memory>
#include <string>

#include "data/capture/attention_rows.h"
#include "data/capture/capture_plan.h"
#include "data/capture/direct_file.h"
#include "data/capture/h5_file.h"
#include "data/files/partial_file.h"

namespace qaq {

/// A capture while it is written to `path`.partial: the file and its datasets of activations, those
/// that the plan leaves out being null. Made and destroyed on the HDF5 thread.
struct OpenCaptureFile {
  /// `hurried`: see DirectFile.
  OpenCaptureFile(const std::string& path, const CapturePlan& plan, std::function<bool()> hurried);
  /// Closes the datasets and the file, and gives it its final name. Throws where its last bytes
  /// cannot be written.
  void publish();

  h5::File file;
  PartialFile partial;  // after the file: what could not be created is not ours to remove
  DirectFile direct;
  std::unique_ptr<RowDataset> key, value, query;
  std::unique_ptr<AttentionRows> attention;
};

}  // namespace qaq
