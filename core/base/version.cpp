#include "core/base/version.h"

namespace qaq {

const char* program_version() { return QAQ_VERSION; }
const char* program_commit() { return QAQ_COMMIT; }

}  // namespace qaq
