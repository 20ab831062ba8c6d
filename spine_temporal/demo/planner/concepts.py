"""The actions that a question may ask for, with the names in Python that do them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Concept:
    """One action. A target ending in `()` counts when it is called, another one wherever code uses it."""

    claim: str
    nouns: str
    verbs: str
    targets: str


# A question chooses the row whose noun it contains, among those the row whose verb it contains; first come first.
CONCEPTS = (
    Concept(
        "open sockets",
        "socket tcp udp network connection port",
        "",
        "socket.socket() socket.create_connection() socket.create_server() socket.socketpair()",
    ),
    Concept("start threads", "thread", "", "threading.Thread() threading.Timer() _thread.start_new_thread()"),
    Concept(
        "start processes",
        "process subprocess fork child command shell",
        "",
        "subprocess.Popen() subprocess.run() subprocess.call() subprocess.check_call() subprocess.check_output() "
        "os.fork() os.system() os.popen() os.posix_spawn() multiprocessing.Process()",
    ),
    Concept("parse JSON", "json", "parse read load decode", "json.loads() json.load() json.JSONDecoder()"),
    Concept("write JSON", "json", "write dump encode serialize emit", "json.dumps() json.dump() json.JSONEncoder()"),
    Concept("use JSON", "json", "", "json.loads() json.load() json.dumps() json.dump()"),
    Concept(
        "parse XML",
        "xml",
        "",
        "ElementTree.parse() ElementTree.fromstring() ET.parse() ET.fromstring() minidom.parse() minidom.parseString() "
        "expat.ParserCreate()",
    ),
    Concept("read or write CSV", "csv", "", "csv.reader() csv.writer() csv.DictReader() csv.DictWriter()"),
    Concept(
        "unpickle objects", "pickle unpickle", "load read unpickle", "pickle.load() pickle.loads() pickle.Unpickler()"
    ),
    Concept(
        "pickle objects", "pickle", "", "pickle.dump() pickle.dumps() pickle.Pickler() pickle.load() pickle.loads()"
    ),
    Concept(
        "make temporary files",
        "temporary temp tempfile",
        "",
        "tempfile.mkstemp() tempfile.mkdtemp() tempfile.TemporaryFile() tempfile.NamedTemporaryFile() "
        "tempfile.TemporaryDirectory()",
    ),
    Concept("delete files", "file folder directory", "delete remove unlink", "os.remove() os.unlink() shutil.rmtree()"),
    Concept("open files", "file", "open read write", "open() io.open() os.open()"),
    Concept("read the environment", "environment environ variable", "", "os.environ os.getenv()"),
    Concept("compile regular expressions", "regex regexp regular", "", "re.compile()"),
    Concept("sleep", "sleep", "", "time.sleep() asyncio.sleep()"),
    Concept(
        "read the clock", "clock time", "read tell measure ask", "time.time() time.monotonic() time.perf_counter()"
    ),
    Concept(
        "make locks",
        "lock mutex semaphore",
        "",
        "threading.Lock() threading.RLock() threading.Condition() threading.Semaphore() _thread.allocate_lock()",
    ),
    Concept(
        "draw random numbers",
        "random randomness",
        "",
        "random.random() random.randint() random.choice() random.Random() os.urandom() secrets.token_bytes()",
    ),
    Concept(
        "compute hashes",
        "hash hashlib digest checksum",
        "",
        "hashlib.new() hashlib.md5() hashlib.sha1() hashlib.sha256()",
    ),
    Concept("open SQLite databases", "sqlite database sql", "", "sqlite3.connect()"),
    Concept("make TLS contexts", "ssl tls certificate", "", "ssl.SSLContext() ssl.create_default_context()"),
    Concept("install signal handlers", "signal sigint sigterm", "", "signal.signal() signal.set_wakeup_fd()"),
    Concept("issue warnings", "warning deprecation", "", "warnings.warn() warnings._deprecated()"),
    Concept("make loggers", "logger logging", "", "logging.getLogger()"),
    Concept("run code from text", "eval exec", "", "eval() exec()"),
    Concept("end the process", "exit process program interpreter", "end exit quit leave", "sys.exit() os._exit()"),
    Concept(
        "make HTTP requests",
        "http https url request web",
        "request make send fetch download open",
        "urllib.request.urlopen() http.client.HTTPConnection() http.client.HTTPSConnection() requests.get() "
        "httpx.get()",
    ),
    Concept("start asyncio tasks", "task coroutine", "", "asyncio.create_task() asyncio.ensure_future() asyncio.run()"),
    Concept(
        "parse command lines",
        "command argument option argparse",
        "parse take accept",
        "argparse.ArgumentParser() optparse.OptionParser()",
    ),
    Concept("import modules by name", "import plugin", "name dynamic", "importlib.import_module() __import__()"),
    Concept("compress data", "compress compression gzip zip", "", "zlib.compress() gzip.open() bz2.open() lzma.open()"),
)
