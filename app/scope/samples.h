#pragma once

#include "views/models/window_services.h"

namespace qaq::scope {

/// The bundled captures as the start page shows them. They are looked for in
/// ../share/qaq-scope/samples of the program's folder, then in the sources that it was built from;
/// none where they are in neither.
QList<views::Sample> bundledSamples();

/// A bundled file by its name, as in "fox.h5"; empty: it is in neither.
QString sampleFile(const QString& name);

}  // namespace qaq::scope
