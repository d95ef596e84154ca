#pragma once

#include <string>

#include "app/cli/console.h"
#include "core/analysis/diagnosis_report.h"
#include "core/base/progress.h"

namespace qaq::cli {

/// Writes the report to `path`: HTML with its pictures in it where it ends in .html, Markdown with
/// its pictures beside it where it ends in .md. qaq-scope draws them; where it cannot, the report
/// says so and the documents that they are drawn from stay. Throws Error{work}, Error{interrupted}.
void write_diagnosis(const std::string& path, const Diagnosis& diagnosis,
                     const DiagnosisSubject& subject, ConsoleProgress& progress, const Work& work);

}  // namespace qaq::cli
