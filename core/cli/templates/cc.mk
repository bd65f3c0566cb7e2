# acme.template: `make`, `make check`, `make install` (for you alone), `make clean`.
CXXFLAGS = -O2 -g -std=c++17 -Wall -Wextra
ADLOOM = adloom
PLUGIN = -shared -fPIC -fvisibility=hidden -Wl,-z,defs $(shell pkg-config --cflags adloom)
FOLDER = $(or $(XDG_DATA_HOME),$(HOME)/.local/share)/adloom/plugins
HARNESS = $(shell pkg-config --cflags --libs adloom-test) -Wl,-rpath,$(shell pkg-config --variable=libdir adloom-test)

all: acme.template.so
acme.template.so: acme.template.cc
	$(CXX) $(CXXFLAGS) $(LDFLAGS) $(PLUGIN) $< -o $@ -lm
test: test.cc
	$(CXX) $(CXXFLAGS) $(LDFLAGS) $< -o $@ $(HARNESS)
check: all test
	./test
	rm -rf run && $(ADLOOM) run --quiet --out run pipeline.yaml
install: all
	install -D acme.template.so "$(FOLDER)/acme.template.so"
clean:
	rm -rf acme.template.so test run
.PHONY: all check install clean
