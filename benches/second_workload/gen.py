#!/usr/bin/env python3
"""Second, foreign workload: gen.py SEED OUT.log.zst TRUTH.json   (see ASSUMPTIONS.md)"""
import sys, json, random, math, subprocess, datetime as dt
from zoneinfo import ZoneInfo
SEED=int(sys.argv[1]); OUT=sys.argv[2]; TRUTH=sys.argv[3]
ATTACKS = (len(sys.argv)<5 or sys.argv[4]!='quiet')
R=random.Random(SEED*7919+13); X=random.Random(SEED*104729+7)   # X: identifiers only
W=12; H=3600.0; D=86400.0
T0=dt.datetime(2026,3,2,tzinfo=dt.timezone.utc).timestamp(); TE=T0+W*7*D
def hx(n): return '%0*x'%(n,X.getrandbits(4*n))
def uid():
    h=hx(32); return f'{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}'
def hm(): return 'hmac-sha256:'+hx(64)
B62='0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
def b62(): return ''.join(X.choices(B62,k=24))
def iso(t): return dt.datetime.fromtimestamp(int(t),dt.timezone.utc).strftime('%Y-%m-%dT%H:%M:%S')
def iso9(t):
    ns=int((t%1)*1e9); f=('%09d'%ns).rstrip('0'); return iso(t)+('.'+f if f else '')+'Z'
def exp(m): return R.expovariate(1/m)
def logn(med,s): return med*math.exp(R.gauss(0,s))
def pois(l):
    if l>50: return max(0,int(R.gauss(l,l**.5)+.5))
    k=0;p=math.exp(-l);c=p;u=R.random()
    while u>c and k<400: k+=1;p*=l/k;c+=p
    return k
TZ=[ZoneInfo('Europe/Berlin'),ZoneInfo('America/New_York'),ZoneInfo('Asia/Kolkata')]
def local(tz,day,h):
    """epoch of local hour h (float) on day number `day` since start"""
    d=dt.datetime.fromtimestamp(T0,dt.timezone.utc).date()+dt.timedelta(days=day)
    return dt.datetime(d.year,d.month,d.day,tzinfo=tz).timestamp()+h*H
def wday(day): return day%7
HOL={0:{32,35,60},1:set(),2:{32,60}}    # 3 Apr, 6 Apr (Europe), 1 May
# ------------------------------------------------------------------ events
EV=[]   # (t, lat, kind, tok, ip, port, payload)
MT={'database/':('database','database_'+hx(8)),'orders-db/':('database','database_'+hx(8)),'mysql/':('database','database_'+hx(8)),
    'sys/':('system','system_'+hx(8)),'auth/token/':('token','auth_token_'+hx(8)),'auth/approle/':('approle','auth_approle_'+hx(8)),
    'auth/kubernetes/':('kubernetes','auth_kubernetes_'+hx(8)),'auth/oidc/':('oidc','auth_oidc_'+hx(8)),
    'auth/userpass/':('userpass','auth_userpass_'+hx(8)),'auth/gitlab/':('jwt','auth_jwt_'+hx(8)),'auth/gha/':('jwt','auth_jwt_'+hx(8)),
    'kv/':('kv','kv_'+hx(8))}
VER='v2.7.2+builtin.bao'
def mreq(m,acc=True):
    ty,a=MT[m]; cl='auth' if m.startswith('auth/') else 'secret'
    return f'"mount_point":"{m}","mount_type":"{ty}",'+(f'"mount_accessor":"{a}",' if acc else '')+f'"mount_running_version":"{VER}","mount_class":"{cl}"'
def mresp(m,acc=True):
    ty,a=MT[m]; cl='auth' if m.startswith('auth/') else 'secret'
    return f'"mount_point":"{m}","mount_type":"{ty}",'+(f'"mount_accessor":"{a}",' if acc else '')+f'"mount_running_plugin_version":"{VER}","mount_class":"{cl}"'
MQ={m:(mreq(m),mreq(m,False)) for m in MT}; MR={m:(mresp(m),mresp(m,False)) for m in MT}
class Tok:
    __slots__=('ct','acc','head','tail','ent','t','pol','end','batch')
class Subj: pass
SUBJ=[]
def subj(name,kind,mount,method,pol,meta,disp,batch=False,ttl=3600,tz=0):
    s=Subj(); s.name=name;s.kind=kind;s.mount=mount;s.method=method;s.pol=sorted(set(pol+['default']));s.meta=meta;s.disp=disp
    s.batch=batch;s.ttl=int(ttl);s.ent=uid();s.tz=tz;s.seen=False;s.roles=[];s.toks=[];s.retry=R.choice([2,5,10,15,30]);s.rehash=hm();s.attacked=False
    SUBJ.append(s); return s
def login(t,s,ip,fail=False,ent=None,disp=None,meta=None):
    path=s.mount+'login'; op='update'
    if s.method=='userpass': path+='/'+s.name
    if s.method=='oidc':
        EV.append((t-3-R.random()*20,.002,'authurl',None,ip,0,s)); path=s.mount+'oidc/callback'; op='read'
    if fail:
        EV.append((t,.01,'loginfail',None,ip,0,(s,path,op))); return None
    k=Tok(); k.ct=hm(); k.batch=s.batch; k.acc=None if s.batch else hm(); k.ent=ent or s.ent; k.t=t; k.end=t+s.ttl; k.pol=s.pol
    pl=json.dumps(s.pol,separators=(',',':')); md=json.dumps(meta or s.meta,separators=(',',':'))
    a=f'"accessor":"{k.acc}",' if k.acc else ''
    k.head=f'"client_token":"{k.ct}",{a}"display_name":"{disp or s.disp}","policies":{pl},"token_policies":{pl},'
    k.tail=f'"metadata":{md},"entity_id":"{k.ent}",@@"token_type":"{"batch" if s.batch else "service"}","token_ttl":{s.ttl}'
    EV.append((t,R.uniform(.002,.03),'login',k,ip,0,(s,path,op))); s.toks.append((t,k,ip)) if len(s.toks)<4000 else None
    return k
OUT_W=[]  # outages (mount,t0,t1)
def down(m,t):
    for mm,a,b in OUT_W:
        if mm==m and a<=t<b: return True
    return False
def creds(t,k,ip,mr,out='ok',wrap=0):
    """one read of creds; returns lease or None"""
    m,r=mr
    if out=='ok' and down(m,t): out='dberr'
    lid=f'{m}creds/{r}/{b62()}' if out=='ok' else None
    EV.append((t,R.uniform(.008,.06) if out=='ok' else (R.uniform(.5,5) if out=='dberr' else .0002),'creds',k,ip,0,(m,f'{m}creds/{r}',out,lid,wrap)))
    return lid
def issue(t,k,ip,mr,s,give=None,wrap=0):
    """issue with retries in an outage; (time,lease)"""
    n=0; b=s.retry
    while t<TE:
        l=creds(t,k,ip,mr,wrap=wrap)
        if l: return t,l
        n+=1
        if give and n>=give: return t,None
        t+=b*R.uniform(.7,1.3)+1; b=min(b*1.6,90)
    return t,None
def call(t,k,ip,m,path,op,data='',resp='',out='ok'): EV.append((t,R.uniform(.0003,.002),'call',k,ip,0,(m,path,op,data,resp,out)))
def renew(t,k,ip,lid): call(t,k,ip,'sys/','sys/leases/renew','update',f'"increment":3600,"lease_id":"{hm()}"',f'"secret":{{"lease_id":"{lid}"}}')
def revoke(t,k,ip,lid): call(t,k,ip,'sys/','sys/leases/revoke','update',f'"lease_id":"{hm()}"')
def revself(t,k,ip): call(t,k,ip,'auth/token/','auth/token/revoke-self','update')
def renewself(t,k,ip): EV.append((t,.0006,'renewself',k,ip,0,None))
def lookupself(t,k,ip): call(t,k,ip,'auth/token/','auth/token/lookup-self','read','',f'"data":{{"creation_time":{int(k.t)},"id":"{hm()}","display_name":"{hm()}"}}')
def badtoken(t,ip,mr): EV.append((t,.0001,'badtok',None,ip,0,(mr[0],f'{mr[0]}creds/{mr[1]}')))
# ------------------------------------------------------------------ the estate
MN=['database/','orders-db/','mysql/']
NODES_A=[f'10.42.{i}' for i in range(2,16)]      # pod network, a /24 for each node, addresses of pods seen
NODES_B=[f'10.50.8.{i}' for i in range(11,31)]   # SNAT to the node
def pod_ip(cl,t):
    if cl=='a':
        # autoscaler: a node more every week, old ones go
        w=int((t-T0)/(7*D)); n=NODES_A[w%4:w%4+8]+[f'10.42.{16+w}']
        return f'{R.choice(n)}.{R.randint(2,250)}'
    if cl=='b':
        up=int((t-T0)/(28*D))                    # monthly upgrade: nodes are replaced
        return f'10.50.{8+up%2}.{R.randint(11+up*20,30+up*20)}'
    return None
NAMES='billing catalog checkout search cart pricing inventory ledger invoice payout fraud kyc profile session mailer notify webhook media feed rank ads geo route fleet dispatch ticket chat audit-api export importer tax loyalty coupon returns shipping label stock forecast planner gateway partner crm survey consent archive vault-ui-proxy reports metering quota tenant sso-bridge scoring docs signer recon settlement risk treasury'.split()
R.shuffle(NAMES)
GEN=[('database/','readonly'),('orders-db/','readonly'),('mysql/','readonly'),('database/','analytics'),('orders-db/','analytics'),('database/','support'),('orders-db/','support'),('mysql/','reporting')]
ADM=[('database/','admin'),('orders-db/','admin'),('mysql/','admin'),('database/','migrate'),('orders-db/','migrate')]
ALLROLES=list(GEN+ADM)
# outages
for i in range(R.randint(3,5)):
    m=R.choice(MN); a=T0+R.uniform(4,W*7-1)*D; OUT_W.append((m,a,a+R.choice([240,600,1500,3600])*R.uniform(.7,1.4)))
SALE=(T0+59*D,T0+62*D)   # a sale of three days
def season(t,amp,tz,we):
    h=((t+{0:3600,1:-4*3600,2:19800}[tz])%D)/H; dwk=int((t-T0)/D)%7
    f=1+amp*math.sin((h-8)/24*2*math.pi)
    if dwk>=5: f*=we
    if int((t-T0)/D) in HOL[tz]: f*=(we+1)/2
    return f
SERV=[]
def mkservice(i,name,start=T0):
    k8s=R.random()<.62; tz=R.choice([0,0,1,2]); m=R.choice(MN)
    ttl=R.choice([1,4,12,24,24,24])*H
    if k8s:
        s=subj(name,'service','auth/kubernetes/','kubernetes',['app-'+name],{'role':name,'service_account_name':name,'service_account_namespace':R.choice(['shop','core','data','edge']),'service_account_secret_name':'','service_account_uid':uid()},None,ttl=ttl,tz=tz)
        s.disp=f"kubernetes-{s.meta['service_account_namespace']}-{name}"; s.cl=R.choice('aab')
    else:
        s=subj(name,'service','auth/approle/','approle',['app-'+name],{'role_name':name},'approle',batch=R.random()<.12,ttl=ttl,tz=tz); s.cl='vm'; s.sub=R.randint(1,12)
        s.hosts=[f'10.20.{s.sub}.{R.randint(5,250)}' for _ in range(12)]
    s.roles=[(m,name+'-rw')]+([(m,name+'-ro')] if R.random()<.4 else [])+([R.choice(GEN)] if R.random()<.15 else [])
    ALLROLES.extend(x for x in s.roles if x not in ALLROLES)
    s.pods=R.choice([1,2,2,3,3,4,6,8]); s.start=start
    s.style='job' if R.random()<.3 else 'pod'
    s.deps=R.choice([.2,.5,1,1,2,4]); s.crash=R.choice([.03,.1,.1,.3]); s.amp=R.choice([.2,.5,.8]); s.we=R.choice([.3,.6,1,1.1])
    s.every=R.choice([4,8,12,24,24,72])*H; s.ren=R.choice([0,0,2,4,8])*H; s.rate=R.choice([.5,1,2,3,5]); s.graceful=R.random()<.5
    s.hpa=R.random()<.2; s.wrap=60 if R.random()<.06 else 0
    SERV.append(s); return s
for i in range(52): mkservice(i,NAMES[i])
for w in range(W-1):
    mkservice(100+w,f'new-{NAMES[(w*5)%52]}-v{w+2}',start=local(TZ[0],w*7+R.randint(0,4),R.uniform(9.5,17)))
scaleup={}   # permanent scale-outs
for s in R.sample(SERV[:52],4): scaleup[s.name]=T0+R.uniform(10,78)*D
def worktime(tz,day):
    return local(TZ[tz],day,R.choice([R.uniform(9,12),R.uniform(13,17.5)]))
def run_pod(s,a,b,ip,slow0=0):
    """one life of a pod"""
    t=a; k=login(t,s,ip); L=[]
    if s.style=='pod':
        for mr in s.roles[:2]:
            t1,l=issue(t+R.uniform(.2,3),k,ip,mr,s,wrap=s.wrap)
            L.append([mr,l,t1])
            if s.wrap and l: call(t1+R.uniform(.1,1),k,ip,'sys/','sys/wrapping/unwrap','update',f'"token":"{hm()}"',f'"secret":{{"lease_id":"{l}"}},"data":{{"password":"{hm()}","username":"{hm()}"}}')
    q=[]
    tn=k.t+s.ttl*.67
    nxt=[x[2]+s.every*R.uniform(.9,1) for x in L]; nr=[x[2]+s.ren*R.uniform(.6,.75) if s.ren else 9e18 for x in L]
    grew=0
    while True:
        t=min([tn]+nxt+nr)
        if t>=b: break
        if t==tn:
            grew+=1
            if grew<8 and not s.batch and s.ttl>3600: renewself(t,k,ip); tn=t+s.ttl*R.uniform(.63,.7)
            else: k=login(t,s,ip); grew=0; tn=t+s.ttl*R.uniform(.63,.95)
            continue
        if t in nxt:
            i=nxt.index(t); t1,l=issue(t,k,ip,L[i][0],s,wrap=s.wrap); L[i][1]=l; nxt[i]=t1+s.every*R.uniform(.9,1); nr[i]=t1+s.ren*.7 if s.ren else 9e18
            if t1-t>30: k=login(t1+1,s,ip) ; tn=t1+s.ttl*.67
        else:
            i=nr.index(t)
            if L[i][1]: renew(t,k,ip,L[i][1])
            nr[i]=t+s.ren*R.uniform(.6,.75)
    if s.graceful and b<TE and k and b<k.end+1: revself(b-R.random(),k,ip)
    return k
drains=[(T0+R.uniform(0,W*7)*D) for _ in range(8)]
def run_service(s):
    end=TE
    restarts=[]
    for day in range(int((s.start-T0)/D),W*7):
        if wday(day)<5 and day not in HOL[s.tz]:
            for _ in range(pois(s.deps/5)):
                t=worktime(s.tz,day)
                if t>s.start: restarts.append(('d',t))
                if R.random()<.12: restarts.append(('d',t+R.uniform(600,2400)))    # rolled back
    n=s.pods
    # new service: a debugging first afternoon
    if s.start>T0:
        ip0=(lambda t: pod_ip(s.cl,t) or s.hosts[0]); t=s.start
        for _ in range(R.randint(1,9)):
            ip=ip0(t); k=login(t,s,ip)
            for _ in range(R.randint(1,4)): creds(t+1+R.random()*20,k,ip,R.choice(s.roles+[(s.roles[0][0],s.name)]),R.choice(['deny','deny','norole','ok']))
            t+=logn(400,1)
        s.start=t+600
    slots=[]
    for p in range(n): slots.append((p,s.start+R.uniform(0,s.every if s.start==T0 else 60),end))
    if s.name in scaleup:
        for p in range(n,2*n): slots.append((p,scaleup[s.name]+R.uniform(0,90),end))
    if s.hpa:
        for day in range(int((s.start-T0)/D)+1,W*7-1):
            if wday(day)<5 or s.we>=1:
                for p in range(20,20+max(1,n//2)):
                    a=local(TZ[s.tz],day,R.uniform(16,18.5)); slots.append((p,a,a+R.uniform(3,6)*H))
    restarts.sort()
    dep=[(t,p,t+R.uniform(15,70)*(p+1)) for kind,t in restarts for p in range(40)]
    byp={}
    for t,p,x in dep: byp.setdefault(p,[]).append(x)
    for p,a,b in slots:
        cuts=[x for x in byp.get(p,[]) if a+60<x<b-60]
        # drains take a third of the pods away
        if s.cl in('a','b'):
            cuts+=[x+R.uniform(0,240) for x in drains if a<x<b-300 and R.random()<.3]
        k=pois(s.crash*(b-a)/(7*D)); loops=[]
        for _ in range(k):
            x=R.uniform(a,b)
            cuts.append(x)
            if R.random()<.35:      # crash loop with back-off of the kubelet
                bk=10; y=x
                for _ in range(R.randint(3,25)):
                    y+=bk*R.uniform(.9,1.2)+R.uniform(3,20); bk=min(bk*2,300)
                    if y<b: cuts.append(y)
        cuts=sorted(c for c in cuts if a<c<b); pts=[a]+cuts+[b]; vmip=s.hosts[p%12] if s.cl=='vm' else None
        for x,y in zip(pts,pts[1:]):
            if y-x<1: continue
            ip=vmip or pod_ip(s.cl,x)
            k=run_pod(s,x,y,ip)
    if s.style=='job':
        t=s.start; mx=s.rate*3
        ip=None; k=None
        while True:
            t+=exp(H/mx)
            if t>=end: break
            f=season(t,s.amp,s.tz,s.we)*(1.8 if SALE[0]<t<SALE[1] and s.we>=1 else 1)
            if R.random()>f/3: continue
            if s.name in scaleup and t>scaleup[s.name] and R.random()<.5: t+=1
            if k is None or t>k.end-10 or R.random()<.02:
                ip=s.hosts[R.randrange(s.pods)] if s.cl=='vm' else pod_ip(s.cl,t); k=login(t-.5,s,ip)
            t1,l=issue(t,k,ip,R.choice(s.roles),s,give=4)
            if l and R.random()<.7: revoke(t1+logn(200,.8),k,ip,l) if t1+3000<k.end else None
for s in SERV: run_service(s)
# ------------------------------------------------------------------ crons
CRON=[]
for i,(nm,when) in enumerate([('backup','daily'),('backup-mysql','daily'),('etl-nightly','daily'),('etl-hourly','hourly'),('reindex','weekly'),('dwh-sync','6h'),('vacuum','weekly'),('closing','monthly'),('gdpr-erase','weekly'),('statements','monthly'),('kpi-mail','weekdays'),('cert-audit','daily'),('ledger-check','hourly'),('rotate-report','monthly'),('price-feed','weekdays')]):
    s=subj('cron-'+nm,'cron','auth/approle/','approle',['cron-'+nm],{'role_name':'cron-'+nm},'approle',batch=R.random()<.3,ttl=R.choice([900,1800,3600])); s.when=when
    s.host=f'10.20.30.{10+i}'; s.roles=R.sample(GEN,R.randint(1,3)) if when!='monthly' else R.sample(ALLROLES,R.randint(6,10)); CRON.append(s); s.n=R.choice([1,1,2,5,12]) if when!='monthly' else R.randint(15,40)
    h=R.uniform(0,6); mi=R.choice([0,0,.25,.5])
    for day in range(W*7):
        hs=[]
        dm=(dt.date(2026,3,2)+dt.timedelta(days=day)).day
        if when=='daily': hs=[int(h)+mi]
        elif when=='hourly': hs=[x+mi for x in range(24)]
        elif when=='6h': hs=[x+mi for x in (1,7,13,19)]
        elif when=='weekly' and wday(day)==(6 if i%2 else 5): hs=[int(h)+mi]
        elif when=='weekdays' and wday(day)<5: hs=[6+mi]
        elif when=='monthly' and dm==1: hs=[4+mi]
        for x in hs:
            t=T0+day*D+x*H+R.uniform(0,8)
            for tr in range(1 if R.random()<.96 else R.randint(2,4)):
                k=login(t,s,s.host); n=max(1,int(s.n*R.uniform(.8,1.2)))
                for j in range(n):
                    t1,l=issue(t+.3+j*R.uniform(.2,4),k,s.host,s.roles[j%len(s.roles)],s,give=5)
                    if l and R.random()<.6: revoke(t1+R.uniform(20,600),k,s.host,l)
                t+=R.uniform(300,900)
# ------------------------------------------------------------------ people
PEOPLE=[]; OFFICE={0:'193.24.16',1:'64.210.8',2:'103.21.58'}
ISP={0:['84.137','91.14','93.210','87.122','79.193'],1:['73.162','98.110','68.194','24.5','71.190'],2:['49.36','106.51','122.172','117.196','157.45']}
FIRST='anna ben chen dora emil faye gita hugo iris jon kavya lena mira nils omar priya quinn ravi sara tom uma vera will xena yusuf zoe arun bela carl devi eva finn gauri hans indu jack'.split()
def newhome(p):
    if p.v6: return f'2a0{R.randint(1,9)}:{R.randint(100,999)}:{R.randint(1000,9999):x}:{R.randint(0,255):x}'
    return f'{R.choice(p.isps)}.{R.randint(0,255)}.{R.randint(2,250)}'
def hostof(p,net): return f'{net}:{R.getrandbits(16):x}:{R.getrandbits(16):x}:{R.getrandbits(16):x}:{R.getrandbits(16):x}' if p.v6 else net
for i,nm in enumerate(FIRST):
    tz=i%3; up=R.random()<.15
    p=subj(nm,'person','auth/userpass/' if up else 'auth/oidc/','userpass' if up else 'oidc',['people']+(['dba'] if i%12==0 else []),{'username':nm} if up else {'role':'people','email':nm+'@example.com'},('userpass-' if up else 'oidc-')+nm+('' if up else '@example.com'),ttl=8*3600,tz=tz)
    p.act=R.choice([.06,.15,.3,.5,.5,.8]); p.office=R.choice([.1,.4,.8]); p.vpn=R.random()<.45; p.v6=R.random()<.15; p.isps=R.sample(ISP[tz],2)[:R.choice([1,1,2])]
    p.move=R.choice([0,0,0,10,4,1.5]); p.home=newhome(p); p.homet=T0; p.shift=R.gauss(0,1); p.ui=R.random()<.3; p.dba=(i%12==0)
    p.roles=R.sample(GEN,R.randint(1,3))+([R.choice(ADM)] if R.random()<.4 or p.dba else [])+([R.choice(SERV[:52]).roles[0]] if R.random()<.5 else [])
    p.w=[1/(j+1) for j in range(len(p.roles))]; p.hol=set(); a=R.randint(5,75); p.hol.update(range(a,a+R.choice([3,7,10,14]))); p.trip=None
    if R.random()<.45: x=R.randint(3,78); p.trip=(x,x+R.randint(2,5),f'{R.randint(40,220)}.{R.randint(0,255)}.{R.randint(0,255)}')
    PEOPLE.append(p)
reorg=R.randint(20,60); moved=R.sample(PEOPLE,4)
def where(p,day):
    while p.move and p.homet<T0+day*D: p.homet+=exp(p.move*D); p.home=newhome(p)
    if p.trip and p.trip[0]<=day<p.trip[1]: return f'{p.trip[2]}.{R.randint(2,250)}' if not p.vpn or R.random()<.3 else f'10.99.{p.tz}.{R.randint(2,250)}'
    u=R.random()
    if wday(day)<5 and u<p.office: return f'{OFFICE[p.tz]}.{R.choice([4,5,6])}'
    if p.vpn and u<.93: return f'10.99.{p.tz}.{R.randint(2,250)}'
    if u>.985: return f'{R.choice(["109.40","172.56","157.49"])}.{R.randint(0,60)}.{R.randint(2,250)}'   # tethered
    return hostof(p,p.home)
def session(p,t,ip,roles=None,n=None,ui=None,deny=.03):
    if R.random()<.04 and p.method=='userpass': login(t-20,p,ip,fail=True)
    k=login(t,p,ip)
    if R.random()<.7: lookupself(t+.4,k,ip)
    if (p.ui if ui is None else ui):
        call(t+1,k,ip,'sys/','sys/internal/ui/mounts','read','','"data":{"auth":{},"secret":{}}')
        call(t+1.2,k,ip,'sys/','sys/capabilities-self','update',f'"paths":["{hm()}"]','"data":{}')
        call(t+1.4,k,ip,'sys/','sys/internal/counters/config','read',out='deny')
        if R.random()<.3:
            m=R.choice(MN); call(t+6,k,ip,m,m+'roles','list','',f'"data":{{"keys":["{hm()}","{hm()}"]}}')
            if R.random()<.5: call(t+6.1,k,ip,m,m+'static-roles','list',out='deny')
    x=t+R.uniform(2,30); n=n or min(12,1+pois(R.choice([.3,1,3])))
    for _ in range(n):
        mr=R.choices(p.roles,p.w)[0] if roles is None else R.choice(roles)
        issue(x,k,ip,mr,p,give=3); x+=logn(420,1.4)
        if R.random()<deny:
            m=R.choice(MN); creds(x-1,k,ip,R.choice(ALLROLES) if R.random()<.6 else (m,R.choice(['read-only','prod','dev','readonyl','analytic'])),R.choice(['deny','norole']))
        if x>t+p.ttl-60: break
    return x
ONCALL={}
for w in range(W):
    for tz in range(3): ONCALL[(w,tz)]=R.choice([p for p in PEOPLE if p.tz==tz])
for p in PEOPLE:
    for day in range(W*7):
        if day in p.hol: continue
        if p in moved and day==reorg:
            nr=R.sample([r for r in ALLROLES if r not in p.roles],3); p.roles=nr+p.roles[:2]; p.w=[1/(j+1) for j in range(len(p.roles))]
        pr=p.act if wday(day)<5 and day not in HOL[p.tz] else p.act*.05
        if R.random()<pr:
            ip=where(p,day)
            for _ in range(1+pois(.6)):
                session(p,local(TZ[p.tz],day,min(22.5,max(6.2,R.choice([10,11,14,15.5])+p.shift+R.gauss(0,1.3)))),ip)
            if R.random()<.012:
                mr=R.choice(ALLROLES); p.roles.append(mr); p.w.append(R.choice([.1,.5]))     # a new task
            if R.random()<.03:   # evening at home
                session(p,local(TZ[p.tz],day,R.uniform(20,23.5)),where(p,5) if day%7<5 else ip)
            if R.random()<.012:  # incident work: many roles, many reads
                session(p,local(TZ[p.tz],day,R.uniform(10,17)),ip,n=R.randint(8,18))
for m,a,b in OUT_W:           # whoever is on call comes at any hour
    w=int((a-T0)/(7*D))
    for tz in range(3):
        p=ONCALL[(w,tz)]
        if R.random()<.6:
            day=int((a-T0)/D); session(p,a+R.uniform(300,1500),where(p,5 if R.random()<.7 else day),roles=[r for r in GEN+ADM if r[0]==m],n=R.randint(2,6))
# ------------------------------------------------------------------ CI
CI=[]
for i,nm in enumerate(['shop/api','shop/web','data/pipelines','infra/terraform','core/monolith']):
    s=subj(nm,'ci','auth/gitlab/','jwt',['ci'],{'role':'ci-'+nm.split('/')[1],'project_path':nm,'ref_type':'branch'},'gitlab-'+nm,ttl=3600,batch=False); s.roles=R.sample(ALLROLES,R.randint(2,4))+[R.choice(ADM)]; CI.append(s)
    for day in range(W*7):
        base=R.choice([4,8,14]) if wday(day)<5 and day not in HOL[0] else 1.2
        for _ in range(pois(min(80,logn(base,.6)))):
            t=local(TZ[0],day,min(23.5,max(0,R.gauss(14,3.5)))); ip=f'10.60.{R.randint(0,3)}.{R.randint(2,250)}'
            jobs=min(60,int(R.paretovariate(1.3)))
            for j in range(jobs):
                x=t+R.uniform(0,20+10*jobs); k=login(x,s,ip); issue(x+R.uniform(.5,4),k,ip,R.choices(s.roles,[4,2]+[.3]*(len(s.roles)-2))[0],s,give=3)
                if R.random()<.5: revself(x+logn(120,.7),k,ip)
    if nm=='infra/terraform':        # nightly drift detection reads all roles, applies write some
        for day in range(W*7):
            def plan(t):
                ip=f'10.60.{R.randint(0,3)}.{R.randint(2,250)}'; k=login(t,s,ip)
                for m in MN: call(t+1,k,ip,m,m+'roles','list','',f'"data":{{"keys":["{hm()}"]}}')
                for j,(m,r) in enumerate(ALLROLES[:40]): call(t+2+j*.05,k,ip,m,f'{m}roles/{r}','read','',f'"data":{{"db_name":"{hm()}","default_ttl":3600,"max_ttl":86400}}')
                return k,ip
            plan(T0+day*D+2.5*H)
            if wday(day)<5 and R.random()<.25:
                t=worktime(0,day); k,ip=plan(t)
                for _ in range(R.randint(1,4)): m,r=R.choice(ALLROLES); call(t+30+R.random()*9,k,ip,m,f'{m}roles/{r}','update',f'"db_name":"{hm()}","default_ttl":"{hm()}"')
gha=subj('gha','gha','auth/gha/','jwt',['ci'],{'role':'gha-deploy'},'gha-x',ttl=900); gha.roles=[('database/','migrate'),('database/','readonly'),('orders-db/','migrate')]
for day in range(W*7):
    for _ in range(pois(min(60,logn(9 if wday(day)<5 else 1.5,.7)))):
        t=local(TZ[1],day,min(23.5,max(0,R.gauss(13,4)))); ip=f'{R.choice(["20.55","4.227","52.161","13.86","172.190","20.102"])}.{R.randint(0,255)}.{R.randint(2,250)}'
        run=R.randint(10**9,10**10); k=login(t,gha,ip,ent=uid(),disp=f'gha-repo:example/app:run:{run}',meta={'role':'gha-deploy','repository':'example/app','run_id':str(run)})
        for _ in range(R.randint(1,3)): issue(t+R.uniform(1,90),k,ip,R.choices(gha.roles,[3,2,1])[0],gha,give=3)
# ------------------------------------------------------------------ those that serve many
vso=subj('vault-secrets-operator','operator','auth/kubernetes/','kubernetes',['operator'],{'role':'vso','service_account_name':'vso','service_account_namespace':'vso-system','service_account_secret_name':'','service_account_uid':uid()},'kubernetes-vso-system-vso',ttl=3600)
air=subj('airflow','operator','auth/approle/','approle',['airflow'],{'role_name':'airflow'},'approle',ttl=3600); hub=subj('jupyterhub','operator','auth/kubernetes/','kubernetes',['hub'],{'role':'hub','service_account_name':'hub','service_account_namespace':'data','service_account_secret_name':'','service_account_uid':uid()},'kubernetes-data-hub',ttl=12*3600)
def toks(s,ipf):
    t=T0+R.random()*60; L=[]
    while t<TE: ip=ipf(t); L.append((t,login(t,s,ip),ip)); t+=s.ttl*R.uniform(.6,.7)
    return L
import bisect
def at(L,t): i=max(0,bisect.bisect_right([x[0] for x in L[0]],t)-1); return L[0][i]
cur={}
def vip(t):
    w=int((t-T0)/(5*D)); return cur.setdefault(w,pod_ip('a',t))
TV=(toks(vso,vip),); starts=[x[0] for x in TV[0]]
vapps=[(s.roles[0],s.start+H) for s in SERV if R.random()<.6]
for mr,st in vapps:
    t=max(T0+5,st)+R.random()*3*H; ev=R.choice([4,8,8,16])*H
    while t<TE:
        _,k,ip=TV[0][max(0,bisect.bisect_right(starts,t)-1)]; issue(t,k,ip,mr,vso); t+=ev*R.uniform(.6,.7)
for d in [R.uniform(3,80) for _ in range(5)]:     # operator restarted: everything is issued again
    t=T0+d*D; _,k,ip=TV[0][max(0,bisect.bisect_right(starts,t)-1)]
    for mr,st in vapps:
        if st<t: issue(t+R.random()*40,k,ip,mr,vso)
TA=toks(air,lambda t:'10.20.40.7'); starts=[x[0] for x in TA]
dags=[(R.choice(ALLROLES),R.choice([1,1,2,6,24,24,24]),R.uniform(0,24)) for _ in range(30)]
for mr,ev,off in dags:
    st=T0+(0 if R.random()<.7 else R.uniform(5,80)*D); t=st+off*H
    while t<TE:
        if R.random()<.97:
            x=t+R.uniform(0,30); _,k,ip=TA[max(0,bisect.bisect_right(starts,x)-1)]; issue(x,k,ip,mr,air,give=3)
        t+=ev*H
for day in [R.randint(5,80) for _ in range(3)]:    # backfills
    mr=R.choice(dags)[0]; t=T0+day*D+R.uniform(9,16)*H
    for j in range(R.randint(25,120)):
        t+=exp(40); _,k,ip=TA[max(0,bisect.bisect_right(starts,t)-1)]; issue(t,k,ip,mr,air,give=3)
for day in range(W*7):
    if wday(day)<5:
        for _ in range(pois(5)):
            t=local(TZ[0],day,R.uniform(8.5,18)); ip=pod_ip('a',t); k=login(t,hub,ip)
            for _ in range(1+pois(1)): issue(t+R.uniform(1,7000),k,ip,R.choices(GEN,[5,3,2,4,2,1,1,2])[0],hub,give=3)
mon=subj('vault-canary','cron','auth/approle/','approle',['canary'],{'role_name':'canary'},'approle',ttl=86400)
t=T0+20; k=login(t,mon,'10.20.31.9')
while t<TE:
    if t>k.end-900: k=login(t,mon,'10.20.31.9')
    lookupself(t,k,'10.20.31.9')
    if R.random()<.2: creds(t+1,k,'10.20.31.9',('database/','readonly'))
    t+=1200
mon.roles=[('database/','readonly')]
# ------------------------------------------------------------------ storms
NOTES=[]
for i in range(R.randint(4,6)):
    s=R.choice(SERV[:52]); t=worktime(s.tz,R.choice([d for d in range(3,82) if wday(d)<5])); kind=R.choice(['deny','norole','badtok','secretid']); dur=logn(1.5*H,.7); b=R.choice([5,15,30,60]); e=t+min(dur,6*H)
    NOTES.append(dict(storm=kind,entity=s.ent,name=s.name,start=iso(t),end=iso(e)))
    ip=(s.hosts[0] if s.cl=='vm' else pod_ip(s.cl,t)); k=login(t,s,ip) if kind in('deny','norole') else None; mr=R.choice([r for r in ALLROLES if r not in s.roles])
    if kind=='norole': mr=(s.roles[0][0],s.roles[0][1].replace('-','_'))
    while t<e:
        if kind in('deny','norole'):
            creds(t+.4,k,ip,mr,kind)
        elif kind=='badtok': badtoken(t,ip,s.roles[0])
        else: login(t,s,ip,fail=True)
        t+=b*R.uniform(.8,1.3)
for m in range(3):   # a vulnerability scanner, monthly
    t=T0+(13+m*28)*D+2*H
    for j in range(45): badtoken(t+j*R.uniform(1,3),'10.20.99.5',R.choice(ALLROLES))
# ------------------------------------------------------------------ attacks
AT=[]
def vps(): return f'{R.choice([45,185,146,167,194,89])}.{R.randint(1,250)}.{R.randint(0,255)}.{R.randint(2,250)}'
def usual_ip(s,t):
    best=None
    for a,k,ip in s.toks:
        if a<=t: best=(a,k,ip)
        else: break
    return best
def add(kind,s,ts,det): s.attacked=True; AT.append(dict(kind=kind,entity=s.ent,name=s.name,subject_kind=s.kind,start=min(ts),end=max(ts),n=len(ts),detail=det))
def pick(pred):
    c=[s for s in SUBJ if not s.attacked and pred(s) and len(s.toks)>5 and s.toks[0][0]<T0+14*D]; return R.choice(c)
def atime(s,h0=None,h1=None):
    for _ in range(60):
        day=R.randint(28,W*7-9); t=local(TZ[s.tz],day,R.uniform(h0,h1)) if h0 is not None else T0+day*D+R.uniform(0,24)*H
        if s.kind!='person' or (wday(day)<5 and day not in s.hol): return t
    return t
def tokat(s,t,own=.5):
    """a live token if there is one, else a login of the attacker's at the usual address"""
    u=usual_ip(s,t); ip=u[2]
    if u[1].end>t+3600*1.1 and R.random()<own: return u[1],ip
    return login(t-1,s,ip),ip
if ATTACKS:
  for s in SUBJ: s.toks.sort(key=lambda x:x[0])
  for j in range(4):
    # slow doubling: four days, then it stays doubled for three
    if j==0:
        when={}
        for e in EV:
            if e[2]=='creds' and e[6][3]: when.setdefault(e[3].ent,[]).append(e[0])
    t=a=T0+R.uniform(29,W*7-10)*D
    obs=lambda s: sum(a-14*D<=x<a for x in when.get(s.ent,()))/14      # what it really takes in a day
    s=pick(lambda s:s.kind=='service' and s.style==('job' if j<3 else 'pod') and obs(s)>=20 and s.name not in scaleup and s.start==T0)
    ts=[]; base=obs(s)/D; k,ip=tokat(s,t,0)
    while t<a+8*D:
        t+=exp(.5/base)
        f=min(1,(t-a)/(4*D))/2
        if R.random()<f*min(2,season(t,s.amp if s.style=='job' else 0,s.tz,s.we if s.style=='job' else 1)):
            if t>k.end-60: k=login(t-1,s,ip)
            creds(t,k,ip,R.choice(s.roles)); ts.append(t)
    add('slow',s,ts,f'+{len(ts)} over base {base*D:.0f}/d')
    s=pick(lambda s:s.kind in('service','cron') ) if j<3 else pick(lambda s:s.kind=='person' and s.act>=.3)
    t=a=atime(s,*((9,17) if s.kind=='person' else (None,None))); n=R.randint(30,150) if s.kind!='person' else R.randint(20,40); dur=R.choice([180,400,600,1500]); k,ip=tokat(s,t); ts=[]
    for _ in range(n): x=t+R.uniform(0,dur); creds(x,k,ip,R.choice(s.roles[:1])); ts.append(x)
    add('burst',s,ts,f'{n} in {dur}s')
    s=pick(lambda s:s.kind=='person' and s.act>=.15) if j%2 else pick(lambda s:s.kind=='service' and s.style=='pod')
    t=a=atime(s,9,18); n=R.randint(5,15); k,ip=tokat(s,t); ts=[]
    lst=R.random()<.5
    if lst:
        for m in MN: call(t+1,k,ip,m,m+'roles','list','',f'"data":{{"keys":["{hm()}"]}}')
        ts.append(t+1)
    for r in R.sample([r for r in ALLROLES if r not in s.roles],n): t+=exp(R.choice([20,120,240])); creds(t,k,ip,r); ts.append(t)
    add('harvest',s,ts,f'{n} roles list={lst}')
    s=pick(lambda s:s.kind in('service','person') and (s.kind!='person' or s.act>=.15)); t=a=atime(s,8,19); n=R.randint(20,60); k,ip=tokat(s,t); ts=[]
    for r in R.sample([r for r in ALLROLES if r not in s.roles],min(n,len(ALLROLES)-8)): t+=exp(R.choice([10,25])); creds(t,k,ip,r,'deny'); ts.append(t)
    add('denial_fast',s,ts,f'{len(ts)} paths')
    s=pick(lambda s:s.kind=='service'); t=a=atime(s); n=R.randint(10,16); k,ip=tokat(s,t,0); ts=[]
    for r in R.sample([r for r in ALLROLES if r not in s.roles],n):
        t+=exp(1.8*H)
        if t>k.end-60: k=login(t-1,s,ip)
        creds(t,k,ip,r,'deny'); ts.append(t)
    add('denial_slow',s,ts,f'{n} paths')
    inside=(j==3)
    s=pick(lambda s:s.kind in ('service','cron') and not s.name.startswith('vault-')) if j<3 else pick(lambda s:s.kind=='service')
    if j==1: s=pick(lambda s:s.kind=='person' and s.act>=.15)
    t=a=atime(s,*((8,19) if s.kind=='person' else (None,None))); ip=vps() if not inside else R.choice([f'10.20.{R.randint(1,12)}.{R.randint(5,250)}',f'10.42.{R.randint(2,14)}.{R.randint(2,250)}']); k=login(t,s,ip); ts=[t]
    if j==2 and not s.batch:      # the stolen token itself instead
        u=usual_ip(s,t)
        if u[1].end>t+3*H: EV.pop(); k=u[1]; ts=[]
    for _ in range(R.randint(2,6)): t+=exp(1200); creds(t,k,ip,R.choice(s.roles)); ts.append(t)
    add('source',s,ts,ip+(' inside' if inside else ''))
    s=pick(lambda s:s.kind=='person' and s.act>=.1) if j<2 else pick(lambda s:s.kind=='service')
    t=a=atime(s,1,4.5); ip=vps(); k=login(t,s,ip); ts=[t]; rr=R.sample([r for r in ALLROLES if r not in s.roles],2)
    for _ in range(R.randint(2,5)): t+=exp(500); creds(t,k,ip,R.choice(rr)); ts.append(t)
    add('mixed',s,ts,ip)
    s=pick(lambda s:s.kind=='person' and s.act>=.15); t=a=atime(s,1.5,4.5); u=usual_ip(s,t); ip=u[2]; k=login(t,s,ip); ts=[t]
    for _ in range(R.randint(2,4)): t+=exp(900); creds(t,k,ip,s.roles[0]); ts.append(t)
    add('off_hours',s,ts,ip)
# ------------------------------------------------------------------ writing
E=[e for e in EV if T0<=e[0]<TE]; K=[]
gap=(T0+40*D+5*H,T0+40*D+5*H+900)     # maintenance of Vault: no lines
E=[e for e in E if not gap[0]<=e[0]<gap[1]]
for i,e in enumerate(E): K.append((e[0],0,i)); K.append((e[0]+e[1],1,i))
K.sort()
zs=subprocess.Popen(['zstd','-q','-3','-T1','-f','-o',OUT],stdin=subprocess.PIPE); w=zs.stdin
ports={}; RQ={}
CONN="1 error occurred:\\n\\t* unable to start transaction: failed to connect to `user=vault_admin database=postgres`: 10.30.0.5:5432 (db): dial error: dial tcp 10.30.0.5:5432: connect: connection refused\\n\\n"
PD="1 error occurred:\\n\\t* permission denied\\n\\n"
ERRH={x:hm() for x in('deny','norole','login','bad')}
created=set(); buf=[]; HM404=hm(); nrec=0
def authof(k,allowed=True):
    g='{"allowed":true,"granting_policies":[{"name":"%s","namespace_id":"root","type":"acl"}]}'%k.pol[0] if allowed else '{"allowed":false}'
    return '{'+k.head+'"policy_results":'+g+','+k.tail.replace('@@','')+f',"token_issue_time":"{iso(k.t)}Z"}}'
for t,ph,i in K:
    _,lat,kind,k,ip,_,pl=E[i]; ts=iso9(t)
    if ph==0:
        rid=uid(); port=ports.get(ip)
        if port is None or X.random()<.05: port=ports[ip]=X.randint(32768,60999)
        ad=f'"remote_address":"{ip}","remote_port":{port}'
        if kind in('login','loginfail'):
            s,path,op=pl; auth='{"policy_results":{"allowed":true},"token_type":"default"}'
            dat={'approle':f'"role_id":"{s.rehash}","secret_id":"{hm()}"','kubernetes':f'"jwt":"{hm()}","role":"{s.rehash}"','jwt':f'"jwt":"{hm()}","role":"{s.rehash}"','userpass':f'"password":"{hm()}"','oidc':f'"code":"{hm()}","nonce":"{hm()}","state":"{hm()}"'}[s.method]
            r=f'{{"id":"{rid}","operation":"{op}",{MQ[s.mount][0]},"namespace":{{"id":"root"}},"path":"{path}","data":{{{dat}}},{ad}}}'; RQ[i]=(auth,r); err=''
        elif kind=='authurl':
            auth='{"policy_results":{"allowed":true},"token_type":"default"}'; r=f'{{"id":"{rid}","operation":"update",{MQ[pl.mount][0]},"namespace":{{"id":"root"}},"path":"{pl.mount}oidc/auth_url","data":{{"redirect_uri":"{HM404}","role":"{pl.rehash}"}},{ad}}}'; RQ[i]=(auth,r); err=''
        elif kind=='badtok':
            auth='{"token_type":"default"}'; r=f'{{"id":"{rid}","operation":"read",{MQ[pl[0]][1]},"client_token":"{hm()}","namespace":{{"id":"root"}},"path":"{pl[1]}",{ad}}}'; RQ[i]=(auth,r); err=',"error":"permission denied"'
        else:
            ac=f'"client_token_accessor":"{k.acc}",' if k.acc else ''; out='ok'; wr=''
            if kind=='creds': m,path,out,lid,wrap=pl; op='read'; dat=''; wr=f',"wrap_ttl":{wrap}' if wrap else ''
            elif kind=='renewself': m,path,op,dat='auth/token/','auth/token/renew-self','update',',"data":{"increment":3600}'
            else: m,path,op,d,resp,out=pl; dat=f',"data":{{{d}}}' if d else ''
            auth=authof(k,out!='deny'); pre=f'{{"id":"{rid}","client_id":"{k.ent}","operation":"{op}",'; post=f',"client_token":"{k.ct}",{ac}"namespace":{{"id":"root"}},"path":"{path}"{dat},{ad}{wr}}}'
            r=pre+MQ[m][1]+post; RQ[i]=(auth,pre+MQ[m][0 if out!='deny' else 1]+post); err=f',"error":"{PD}"' if out=='deny' else ''
        buf.append(f'{{"time":"{ts}","type":"request","auth":{auth},"request":{r}{err}}}\n')
    else:
        auth,r=RQ.pop(i); err=''
        if kind=='login':
            s=pl[0]; cr='"entity_created":true,' if k.ent not in created else ''; created.add(k.ent)
            auth='{'+k.head+k.tail.replace('@@',cr)+'}'; body='"auth":{'+k.head+k.tail.replace('@@','')+'},'+MR[s.mount][0]
        elif kind=='loginfail': auth='{"token_type":"default"}'; body=MR[pl[0].mount][0]+f',"data":{{"error":"{ERRH["login"]}"}}'; err=',"error":"invalid credentials"'
        elif kind=='authurl': body=MR[pl.mount][0]+f',"data":{{"auth_url":"{hm()}"}}'
        elif kind=='badtok': body=MR[pl[0]][1]+f',"data":{{"error":"{ERRH["bad"]}"}}'; err=f',"error":"{PD}"'
        elif kind=='creds':
            m,path,out,lid,wrap=pl
            if out=='ok' and wrap: body=MR[m][0]+f',"wrap_info":{{"ttl":{wrap},"token":"{hm()}","accessor":"{hm()}","creation_time":"{ts}","creation_path":"{path}"}}'
            elif out=='ok': body=MR[m][0]+f',"secret":{{"lease_id":"{lid}"}},"data":{{"password":"{hm()}","username":"{hm()}"}}'
            elif out=='deny': body=MR[m][1]+f',"data":{{"error":"{ERRH["deny"]}"}}'; err=f',"error":"{PD}"'
            elif out=='norole': body=MR[m][0]+f',"data":{{"error":"{ERRH["norole"]}"}}'
            else: body=MR[m][0]; err=f',"error":"{CONN}"'
        elif kind=='renewself': body='"auth":{'+k.head+k.tail.replace('@@','')+'},'+MR['auth/token/'][0]
        else:
            m,path,op,d,resp,out=pl; body=MR[m][0 if out!='deny' else 1]+(','+resp if resp else '')
            if out=='deny': body+=f',"data":{{"error":"{ERRH["deny"]}"}}'; err=f',"error":"{PD}"'
        buf.append(f'{{"time":"{ts}","type":"response","auth":{auth},"request":{r},"response":{{{body}}}{err}}}\n'); nrec+=1
    if len(buf)>4000: w.write(''.join(buf).encode()); buf=[]
w.write(''.join(buf).encode()); w.close(); zs.wait()
from collections import Counter
cnt=Counter(e[2] for e in E); iss=Counter(e[3].ent for e in E if e[2]=='creds' and e[6][2]=='ok')
json.dump(dict(seed=SEED,start=T0,end=TE,attacks=AT,notes=NOTES,outages=[(m,iso(a),iso(b)) for m,a,b in OUT_W],scaleouts={n:iso(t) for n,t in scaleup.items()},sale=[iso(x) for x in SALE],reorg=iso(T0+reorg*D),moved=[p.name for p in moved],gap=[iso(x) for x in gap],
  subjects={s.ent:dict(name=s.name,kind=s.kind,style=getattr(s,'style',''),mount=s.mount,issues=iss.get(s.ent,0),roles=[m+r for m,r in s.roles],cl=getattr(s,'cl',''),tz=s.tz) for s in SUBJ}),open(TRUTH,'w'),indent=1)
print(f'seed {SEED}: {len(E)} requests, {len(SUBJ)} subjects, {len(AT)} attacks, kinds {dict(cnt)}',file=sys.stderr)
